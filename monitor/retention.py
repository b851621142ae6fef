"""Deletes the views that are old and summed, in transactions so short that no sweep waits for them.

Before views go, their hours are summed once more, so that one which came days late is counted too. Then the
keys are read, outside of any transaction, and deleted a few at a time with a pause after each: SQLite has one
writer at a time, and whoever waits looks again at least every 100 ms. A purge that is killed has deleted
whole batches; the next one goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from djamon.lib.commands import DjamonError
from monitor.expected import full_hour
from monitor.models import Site, SiteDay, SiteHour, SiteView
from monitor.rollups import REDO, Context, hour_of_first_view, roll_span, rolled_until, span

JOB = "purge"
# Rows of a transaction: of 3 million on SQLite, with 1,000 sites, the longest took 75 ms, most of them 14 ms.
BATCH = 500
KEYS = 20 * BATCH  # read at once
PAUSE_S = 0.05
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Plan:
    """Views from before ``until`` go: from before ``cutoff``, as was asked for, and summed well before."""

    keep_days: int
    cutoff: datetime
    rolled: datetime | None
    until: datetime | None


def days_from(text: str) -> int:
    """What ``--keep-days`` says; raises DjamonError."""
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not 1 <= days <= MOST_DAYS:
        raise DjamonError(f"--keep-days: {text!r} is no whole number from 1 to {MOST_DAYS}")
    return days


def plan(now: datetime, keep_days: int) -> Plan:
    """Full hours go, and only those that the roll-up is through with."""
    cutoff, rolled = full_hour(now - timedelta(days=keep_days)), rolled_until()
    return Plan(keep_days, cutoff, rolled, min(cutoff, rolled - REDO) if rolled else None)


def rehearse(now: datetime, keep_days: int) -> str:
    """What a purge would do and keep, in one clause. Deletes nothing."""
    planned = plan(now, keep_days)
    views = views_before(planned.until).count() if planned.until else 0
    return f"{_results(views)} would be deleted; {_kept(planned, views)}"


def purge(
    context: Context, now: datetime, keep_days: int, pause: Callable[[float], object] = time.sleep
) -> str:
    """Delete what is older than ``keep_days`` days and summed; says what went and what was kept.

    Sums go after HOURS_KEEP_DAYS days. Raises LeaseLost where another run took over.
    """
    planned, deleted = plan(now, keep_days), 0
    if planned.rolled and planned.until:
        total = views_before(planned.until).count()
        at = hour_of_first_view(None)
        while at is not None and at < planned.until:
            end = min(at + span(), planned.until)
            roll_span(at, end, planned.rolled, context.hold)
            deleted = _delete(views_before(end), context, pause, deleted, total)
            at = hour_of_first_view(end)
    sums = _purge_sums(context, now, planned, pause)
    return f"{_results(deleted)} deleted{sums}; {_kept(planned, 0)}"


def _purge_sums(context: Context, now: datetime, planned: Plan, pause: Callable[[float], object]) -> str:
    """Never sums of hours whose views are there still: they would be summed, and kept, once more."""
    before = min(full_hour(now - timedelta(days=settings.HOURS_KEEP_DAYS)), planned.until or planned.cutoff)
    hours = _delete(SiteHour.objects.filter(hour__lt=before), context, pause)
    _delete(SiteDay.objects.filter(day__lt=before.date()), context, pause)
    return f", and {hours:,} hourly sums" if hours else ""


def views_before(end: datetime) -> QuerySet[SiteView]:
    """All views from before ``end``, along the index of site and date."""
    return SiteView.objects.filter(site__in=Site.objects.values("pk"), date__lt=end).order_by()


def _delete(
    rows: QuerySet[Any], context: Context, pause: Callable[[float], object], done: int = 0, total: int = 0
) -> int:
    """Delete ``rows`` batch by batch; gives ``done`` and what it deleted."""
    while keys := sorted(rows.order_by().values_list("pk", flat=True)[:KEYS]):
        for batch in (keys[start : start + BATCH] for start in range(0, len(keys), BATCH)):
            done += _delete_batch(rows.model, batch, context)
            context.progress(done, max(done, total), "deleting")
            pause(PAUSE_S)
    return done


def _delete_batch(model: Any, keys: Sequence[Any], context: Context) -> int:
    with transaction.atomic():
        context.hold()
        return int(model.objects.filter(pk__in=keys).delete()[0])


def _kept(planned: Plan, leaving: int) -> str:
    """What stays once ``leaving`` more views are gone."""
    old = views_before(planned.cutoff).count() - leaving
    young = SiteView.objects.count() - leaving - old
    days = "day" if planned.keep_days == 1 else f"{planned.keep_days} days"
    waiting = f", {old:,} older ones not yet rolled up" if old else ""
    return f"kept {_results(young)} of the last {days}{waiting}"


def _results(number: int) -> str:
    return "1 result" if number == 1 else f"{number:,} results"
