"""What every page says while a limit is over: one sentence, however many are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Window
from django.utils import timezone

from djamon.lib.hooks import Banner
from timings import messages
from timings.models import Limit


def banners(now: datetime) -> Iterator[Banner]:
    """Strangers are told nothing of it."""
    over = Limit.objects.filter(enabled=True, state=Limit.State.OVER)
    first = over.annotate(in_all=Window(Count("pk"))).order_by("over_since", "pk").first()
    if first is None:
        return
    since = _since(first.over_since or first.since, now)
    if first.in_all == 1:
        text = f"{messages.short_name(first)} is above {messages.threshold(first)} since {since}."
    else:
        text = f"{first.in_all} limits of timings are exceeded, the first since {since}."
    yield Banner("warning", text, "timings_limits", "See the limits")


def _since(moment: datetime, now: datetime) -> str:
    """The day only where it is not today's."""
    local = timezone.localtime(moment)
    return f"{local:{'%H:%M' if local.date() == timezone.localtime(now).date() else '%Y-%m-%d %H:%M'}}"
