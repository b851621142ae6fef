"""What pages read of limits; nothing here writes, or asks more often as limits or alerts grow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, QuerySet, When

from alerts.models import Alert
from timings import messages
from timings.addresses import path_of
from timings.models import Limit, Series

TONES = {Limit.State.FINE: "up", Limit.State.OVER: "down", Limit.State.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class LimitCard:
    """A limit in words: ``tone`` is a style of the pages, ``measured`` what was judged last."""

    limit: Limit
    tone: str
    word: str
    terms: str
    measured: str
    function: str  # the address of the key's page


def cards(limits: Iterable[Limit]) -> list[LimitCard]:
    return [
        LimitCard(
            limit,
            TONES[Limit.State(limit.state)] if limit.enabled else "paused",
            _word(limit),
            messages.terms(limit),
            _measured(limit),
            path_of(limit.key),
        )
        for limit in limits
    ]


def _word(limit: Limit) -> str:
    if not limit.enabled:
        return "paused"
    if limit.state != Limit.State.UNKNOWN:
        return str(limit.get_state_display())
    return "not known: no calls" if limit.judged else "not judged yet"


def _measured(limit: Limit) -> str:
    if limit.newest_ms is None or limit.newest_calls is None:
        return ""
    return f"{messages.milliseconds(limit.newest_ms)} ({messages.calls(limit.newest_calls)})"


def of_key(key: str) -> list[LimitCard]:
    """The limits of a key, for its page: templates/timings/_limits_of_key.html shows them. One query."""
    return cards(found(key))


def found(key: str = "") -> QuerySet[Limit]:
    """All limits, or those of a key; what is over comes first."""
    if "\0" in key:
        return Limit.objects.none()
    limits = Limit.objects.filter(key=key) if key else Limit.objects.all()
    first = Case(When(enabled=True, state=Limit.State.OVER, then=0), default=1)
    return limits.order_by(first, "key", "token", "figure", "threshold_ms", "pk")


def find(pk: int) -> Limit | None:
    return Limit.objects.filter(pk=pk).first()


def is_known(limit: Limit) -> bool:
    """Whether anything has been heard of its key, and token if it names one."""
    series = Series.objects.filter(key=limit.key)
    return (series.filter(token=limit.token) if limit.token else series).exists()


def ledger(limit: Limit) -> QuerySet[Alert]:
    """What was told of it, the newest first, with deliveries and attempts."""
    about = Alert.objects.filter(reference=messages.reference(limit.pk)).order_by("-created", "-pk")
    return about.defer("text", "html", "public").prefetch_related("deliveries__attempts")
