"""The job that judges limits: read the minutes, ask the rule, write standings and alerts in one transaction.

What is measured is read before the transaction, so that the receiver waits for nothing but the writing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Max

from alerts import outbox
from alerts.outbox import AlertDraft
from djamon.lib import bulk
from timings import histogram, limits, messages, queries
from timings.limits import Event, Judgement, Minute, Standing, State, Terms
from timings.models import MINUTE, Limit, Receiver
from timings.store import Sums

JOB = "check_limits"
ROWS_AT_ONCE = 2000
# Of each limit the minutes of its own look-back, and some more that the rule leaves out; along the clustered
# key of the summaries, one query for all.
# Mean and maximum need no histogram, which is most of a row. CROSS JOIN holds SQLite to this order; it would
# else read the minutes of all series first.
MINUTES_SQL = """
    SELECT limits.id, limits.figure, sums.start, sums.count, sums.total, sums.least, sums.most,
           CASE WHEN limits.figure IN ('mean', 'max') THEN NULL ELSE sums.histogram END
    FROM timings_limit limits CROSS JOIN timings_series series CROSS JOIN timings_summary sums
    WHERE limits.enabled
      AND series.key = limits.key AND (limits.token = '' OR series.token = limits.token)
      AND sums.level = %(level)s AND sums.series_id = series.id AND sums.start <= %(last)s
      AND sums.start > %(last)s - 60 * CAST(
          %(silence)s + limits.minutes
          + CASE WHEN limits.threshold_ms > 43200000 THEN 1440 ELSE limits.threshold_ms / 30000 END AS BIGINT)
    ORDER BY limits.id
"""
WRITTEN = ("state", "since", "over_since", "judged", "newest_at", "newest_ms", "newest_calls")


class Context(Protocol):
    """What the check needs of its job: to prove that it still holds the lease."""

    def hold(self) -> None: ...


def check(
    context: Context, clock: Callable[[], float] = time.time, pause: Callable[[float], object] = time.sleep
) -> str:
    """Judge every limit that is not paused; says what came of it. Waits till the last minute has settled."""
    if (second := clock() % limits.MINUTE_S) < limits.SETTLE_S:
        pause(limits.SETTLE_S - second)
    now_s = clock()
    watched = list(Limit.objects.filter(enabled=True).order_by("pk"))
    if not watched:
        return "no limit is set"
    minutes = _minutes(limits.last_complete(now_s))
    judged = [
        (limit, limits.judge(standing(limit), terms(limit), minutes.get(limit.pk, ()), now_s))
        for limit in watched
    ]
    return _summary(_write(context, judged, now_s), len(watched))


def standing(limit: Limit) -> Standing:
    over_since = None if limit.over_since is None else int(limit.over_since.timestamp())
    return Standing(State(limit.state), int(limit.since.timestamp()), over_since)


def terms(limit: Limit) -> Terms:
    return Terms(limit.threshold_ms, limit.minutes, limit.fewest)


# --- Reading -------------------------------------------------------------------------------------
def _minutes(last: int) -> dict[int, list[Minute]]:
    """The minutes with calls by limit; the sums of one limit at a time are in memory."""
    grouped = groupby(_rows(last), key=lambda row: row[:2])
    return {limit: _minutes_of(rows, figure) for (limit, figure), rows in grouped}


def _minutes_of(rows: Iterable[tuple[Any, ...]], figure: str) -> list[Minute]:
    """Of one limit: all series that it is about are added up."""
    sums: dict[int, Sums] = {}
    for _limit, _figure, start, count, total, least, most, data in rows:
        added = Sums(count, total, least, most, histogram.loaded(bytes(data or b"")))
        sums[start] = sums[start] + added if start in sums else added
    return [Minute(start, each.calls, figure_s(each, figure) * 1000) for start, each in sums.items()]


def _rows(last: int) -> Iterator[tuple[Any, ...]]:
    named = {"level": MINUTE, "last": last, "silence": limits.SILENCE_MIN}
    with connection.cursor() as cursor:
        cursor.execute(MINUTES_SQL, named)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def figure_s(sums: Sums, figure: str) -> float:
    """A figure of Limit.Figure, in seconds."""
    match figure:
        case Limit.Figure.MEAN:
            return sums.total / sums.calls
        case Limit.Figure.MAX:
            return sums.most
    p50, p95, p99 = queries.within(sums)
    return {Limit.Figure.P50.value: p50, Limit.Figure.P95.value: p95}.get(figure, p99)


# --- Writing -------------------------------------------------------------------------------------
def _write(context: Context, judged: Iterable[tuple[Limit, Judgement]], now_s: float) -> Counter[Event]:
    """Standings and alerts together; who edited, paused or deleted a limit meanwhile is not overruled."""
    now, told = datetime.fromtimestamp(now_s, UTC), Counter[Event]()
    last = datetime.fromtimestamp(limits.last_complete(now_s) + limits.MINUTE_S, UTC)
    with transaction.atomic():
        context.hold()
        held = Limit.objects.select_for_update(no_key=True).filter(enabled=True).order_by("pk")
        versions = dict(held.values_list("pk", "version"))
        rows = []
        for limit, judgement in judged:
            if versions.get(limit.pk) != limit.version:
                continue
            before, began = _values(limit), limit.over_since
            _take(limit, judgement, last)
            if _values(limit) != before:
                rows.append((*_values(limit), limit.pk))
            if judgement.event:
                outbox.enqueue(_draft(limit, judgement, began), now)
                told[judgement.event] += 1
        bulk.update(Limit, WRITTEN, rows)
    return told


def _values(limit: Limit) -> tuple[Any, ...]:
    return tuple(getattr(limit, name) for name in WRITTEN)


def _take(limit: Limit, judgement: Judgement, last: datetime) -> None:
    after, newest = judgement.standing, judgement.newest
    limit.state, limit.judged = after.state.value, last
    limit.since = datetime.fromtimestamp(after.since, UTC)
    limit.over_since = None if after.over_since is None else datetime.fromtimestamp(after.over_since, UTC)
    if newest:
        limit.newest_at = datetime.fromtimestamp(newest.start, UTC)
        limit.newest_ms, limit.newest_calls = newest.value_ms, newest.calls


def _draft(limit: Limit, judgement: Judgement, began: datetime | None) -> AlertDraft:
    """``began``: since when it was over, before it was judged."""
    match judgement.event:
        case Event.EXCEEDED:
            return messages.exceeded(limit, judgement)
        case Event.FINE_AGAIN:
            return messages.fine_again(limit, began or limit.since, judgement)
    sign = Receiver.objects.aggregate(last=Max("updated"))["last"]
    return messages.unheard(limit, began or limit.since, sign)


def _summary(told: Mapping[Event, int], count: int) -> str:
    words = {Event.EXCEEDED: "exceeded", Event.FINE_AGAIN: "fine again", Event.UNHEARD: "not heard any more"}
    parts = [f"{told[event]} {words[event]}" for event in Event if told.get(event)]
    line = f"{count:,} {'limit' if count == 1 else 'limits'} judged"
    return f"{line}: {', '.join(parts)}" if parts else line
