"""Deletes samples and short sums that are older than they are kept, a few rows at a time; silent receivers.

Sums of days, and of all time, stay. One series after the other: its old rows lie side by side, so a batch is
one short range of the table, and a writer waits for a batch at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Max

from timings.models import HOUR, MINUTE, Receiver, Sample, SampleExtra, Series, Summary

JOB = "purge_timings"
BATCH = 5000  # neighbouring rows: on SQLite some 10 ms
PAUSE_S = 0.05


class Context(Protocol):
    """What the purge needs of its job: to tell how far it is, and to prove that it still holds the lease."""

    def progress(self, done: int, total: int, message: str = "") -> None: ...
    def hold(self) -> None: ...


def purge(context: Context, now: datetime, pause: Callable[[float], object] = time.sleep) -> str:
    """Delete what is older than the settings keep; says how much went."""
    series = list(Series.objects.order_by("pk").values_list("pk", flat=True))
    gone = {"calls": 0, "minutes": 0, "hours": 0}
    for done, pk in enumerate(series):
        for what, days, model, level in _kinds():
            before = int((now - timedelta(days=days)).timestamp())
            key = [pk] if level is None else [level, pk]
            count = _delete(context, model, key, before, pause)
            if model is not SampleExtra:
                gone[what] += count
        context.progress(done + 1, len(series), "deleting")
    _forget_receivers(context, now - timedelta(days=settings.TIMINGS_KEEP_DAYS))
    return (
        f"{gone['calls']:,} calls deleted that are older than {settings.TIMINGS_KEEP_DAYS} days, "
        f"and the sums of {gone['minutes']:,} minutes and {gone['hours']:,} hours"
    )


def _forget_receivers(context: Context, before: datetime) -> None:
    """Each address that ever listened has a row; the last one stays: pages and alerts tell its last sign."""
    last = Receiver.objects.aggregate(last=Max("updated"))["last"]
    with transaction.atomic():
        context.hold()
        Receiver.objects.filter(updated__lt=before).exclude(updated=last).delete()


def _kinds() -> Sequence[tuple[str, int, type[models.Model], int | None]]:
    return (
        ("calls", settings.TIMINGS_KEEP_DAYS, SampleExtra, None),
        ("calls", settings.TIMINGS_KEEP_DAYS, Sample, None),
        ("minutes", settings.TIMINGS_MINUTES_KEEP_DAYS, Summary, MINUTE),
        ("hours", settings.TIMINGS_HOURS_KEEP_DAYS, Summary, HOUR),
    )


def _delete(
    context: Context,
    model: type[models.Model],
    key: Sequence[Any],
    before: int,
    pause: Callable[[float], object],
) -> int:
    """Delete the rows of a series that are older; in ranges of about BATCH rows, a transaction each."""
    table = connection.ops.quote_name(model._meta.db_table)
    columns, at = (("level", "series_id"), "start") if model is Summary else (("series_id",), "ts")
    mine = " AND ".join(f"{column} = %s" for column in columns)
    edge_sql = f"SELECT {at} FROM {table} WHERE {mine} AND {at} < %s ORDER BY {at} LIMIT 1 OFFSET {BATCH}"  # noqa: S608
    delete_sql = f"DELETE FROM {table} WHERE {mine} AND {at} < %s"  # noqa: S608
    done = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(edge_sql, [*key, before])
            edge = cursor.fetchone()
        until = before if edge is None else edge[0] + 1  # calls of one second go together
        with transaction.atomic(), connection.cursor() as cursor:
            context.hold()
            cursor.execute(delete_sql, [*key, until])
            done += int(cursor.rowcount)
        if edge is None:
            return done
        pause(PAUSE_S)
