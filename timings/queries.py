"""What API and pages read of timings; nothing here writes.

A key may have several series, one for each token; without ``token`` all of them are meant.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from django.db.models import Q

from timings import histogram
from timings.models import DAY, EVER, HOUR, MINUTE, Sample, SampleExtra, Series, Summary
from timings.store import Sums

SHARES = (0.5, 0.95, 0.99)
# The lengths of a bucket; beyond an hour each is made of hours, beyond a day of days.
SIZES_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    *(DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY),
)
NAMED_AT_ONCE = 500
SUM_COLUMNS = ("count", "total", "least", "most", "histogram")


class Detail(msgspec.Struct, frozen=True, order=True):
    """A series with what all its calls add up to; times in seconds, ``last_seen`` in seconds since 1970."""

    key: str
    token: str
    count: int
    last_seen: int
    mean: float
    p50: float
    p95: float
    p99: float


class Call(NamedTuple):
    """One call; the fields stand in the order in which calls are sorted."""

    ts: int
    seq: int
    series_id: int
    execution_time: float


class Place(NamedTuple):
    """Where a page of calls ends: the next one begins behind it."""

    ts: int
    seq: int


class Bucket(msgspec.Struct, frozen=True):
    """The calls from ``start`` (seconds since 1970) until the next bucket; times in seconds."""

    start: int
    count: int
    min: float
    mean: float
    p50: float
    p95: float
    p99: float
    max: float


class Grid(NamedTuple):
    """Buckets of ``size`` seconds, counted from ``origin`` (seconds since 1970)."""

    size: int
    origin: int

    def bucket_of(self, ts: int) -> int:
        """The beginning of the bucket that ``ts`` lies in."""
        return ts - (ts - self.origin) % self.size


@dataclass(frozen=True, slots=True)
class Calls:
    """A page of calls, oldest first, and the other fields of those that have any, as JSON text."""

    page: list[Call]
    extras: dict[tuple[int, int, int], str]  # by series, ts and seq
    next: Place | None


# --- Keys ----------------------------------------------------------------------------------------
def keys(token: str = "", q: str = "") -> list[str]:
    """Every key once, sorted by its characters, whatever the database's collation."""
    return sorted(set(_series(token, q).order_by().values_list("key", flat=True)))


def details(token: str = "", q: str = "") -> list[Detail]:
    """Every series by key and token: two queries."""
    summaries = Summary.objects.filter(level=EVER, start=0).values_list("series_id", *SUM_COLUMNS)
    sums = {series: _loaded(row) for series, *row in summaries}
    found = _series(token, q).order_by().values_list("pk", "key", "token", "last_ts")
    return sorted(
        Detail(key, owner, ever.calls, last, ever.total / ever.calls, *within(ever))
        for pk, key, owner, last in found
        if (ever := sums.get(pk))
    )


def _series(token: str, q: str) -> Any:
    found = Series.objects.filter(key__icontains=q) if q else Series.objects.all()
    return found.filter(token=token) if token else found


def series_of(key: str, token: str = "") -> dict[int, str]:
    """The series of a key with their tokens; empty where nobody has sent such a key."""
    if "\0" in key or "\0" in token:
        return {}
    found = Series.objects.filter(key=key)
    return dict((found.filter(token=token) if token else found).values_list("pk", "token"))


# --- Single calls --------------------------------------------------------------------------------
def calls(series: Sequence[int], start: int, end: int, limit: int, after: Place | None = None) -> Calls:
    """The calls from ``start`` to ``end``, both included, that come behind ``after``: oldest first."""
    each = [_calls_of(pk, start, end, limit + 1, after) for pk in series]
    found = each[0] if len(each) == 1 else list(heapq.merge(*each))[: limit + 1]
    page = found[:limit]
    more = Place(page[-1].ts, page[-1].seq) if len(found) > limit else None
    return Calls(page, _extras(page), more)


def _calls_of(series: int, start: int, end: int, limit: int, after: Place | None) -> list[Call]:
    """Along the table's own order: one range of it is read."""
    rows = Sample.objects.filter(series_id=series, ts__gte=start, ts__lte=end)
    if after:
        rows = rows.filter(Q(ts=after.ts, seq__gt=after.seq) | Q(ts__gt=after.ts), ts__gte=after.ts)
    rows = rows.order_by("ts", "seq")[:limit]
    return [
        Call(ts, seq, series, value) for ts, seq, value in rows.values_list("ts", "seq", "execution_time")
    ]


def _extras(page: Sequence[Call]) -> dict[tuple[int, int, int], str]:
    if not page:
        return {}
    rows = SampleExtra.objects.filter(
        series_id__in={call.series_id for call in page}, ts__gte=page[0].ts, ts__lte=page[-1].ts
    )
    wanted = {(call.series_id, call.ts, call.seq) for call in page}
    found = rows.values_list("series_id", "ts", "seq", "fields")
    return {row[:3]: row[3] for row in found if row[:3] in wanted}


def slowest(series: Sequence[int], start: int, end: int, most: int) -> Calls:
    """The slowest calls of a range, the slowest first."""
    rows = Sample.objects.filter(series_id__in=series, ts__gte=start, ts__lte=end)
    columns = ("ts", "seq", "series_id", "execution_time")
    page = [Call(*row) for row in rows.order_by("-execution_time", "ts", "seq")[:most].values_list(*columns)]
    in_time = sorted(page)
    return Calls(page, _extras(in_time), None)


# --- Summaries -----------------------------------------------------------------------------------
def grid_of(start: int, end: int, most: int) -> Grid:
    """The finest of SIZES_S of which the range touches at most ``most``, else whole days from its first."""
    for size in SIZES_S:
        if end // size - start // size < most:
            return Grid(size, 0)
    first = start - start % DAY
    days = (end - first) // DAY + 1
    return Grid(-(-days // most) * DAY, first)


def summary(series: Sequence[int], start: int, end: int, grid: Grid) -> list[Bucket]:
    """The buckets that the range touches and that have calls, oldest first; all are told whole."""
    first, last = grid.bucket_of(start), grid.bucket_of(end) + grid.size
    level = next((level for level in (DAY, HOUR, MINUTE) if grid.size % level == 0), None)
    if level is None:
        parts = _sums_of_calls(series, first, last, grid)
    else:
        parts = _sums(level, series, first, last, grid)
    return [
        Bucket(at, sums.calls, sums.least, sums.total / sums.calls, *within(sums), sums.most)
        for at, sums in sorted(parts.items())
    ]


def _sums(level: int, series: Sequence[int], first: int, last: int, grid: Grid) -> dict[int, Sums]:
    parts: dict[int, list[tuple[Any, ...]]] = {}
    for place in range(0, len(series), NAMED_AT_ONCE):
        rows = Summary.objects.filter(
            level=level, series_id__in=series[place : place + NAMED_AT_ONCE], start__gte=first, start__lt=last
        )
        for row in rows.values_list("start", *SUM_COLUMNS):
            parts.setdefault(grid.bucket_of(row[0]), []).append(row)
    return {at: _added(rows) for at, rows in parts.items()}


def _added(rows: Sequence[tuple[Any, ...]]) -> Sums:
    """Column by column: a sum of Sums would copy the histogram at each step."""
    _, counts, totals, least, most, data = zip(*rows, strict=True)
    return Sums(
        sum(counts), sum(totals), min(least), max(most), sum(histogram.loaded(bytes(part)) for part in data)
    )


def _sums_of_calls(series: Sequence[int], first: int, last: int, grid: Grid) -> dict[int, Sums]:
    """For buckets shorter than a minute; their ranges are short, too."""
    times: dict[int, list[float]] = {}
    rows = Sample.objects.filter(series_id__in=series, ts__gte=first, ts__lt=last)
    for ts, value in rows.values_list("ts", "execution_time"):
        times.setdefault(grid.bucket_of(ts), []).append(value)
    return {
        at: Sums(len(some), sum(some), min(some), max(some), histogram.packed(histogram.bins_of(some)))
        for at, some in times.items()
    }


def _loaded(row: Sequence[Any]) -> Sums:
    count, total, least, most, data = row
    return Sums(count, total, least, most, histogram.loaded(bytes(data)))


def within(sums: Sums) -> tuple[float, float, float]:
    """The percentiles of SHARES, never beyond the least and the most that there were."""
    p50, p95, p99 = (
        min(max(told or 0.0, sums.least), sums.most) for told in histogram.percentiles(sums.histogram, SHARES)
    )
    return p50, p95, p99
