"""What API and pages read of timings; nothing here writes.

A key may have several series, one for each token; without ``token`` all of them are meant.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db.models import Max, Q, QuerySet, Sum, Value

from djamon.lib import bulk
from timings import histogram, spans
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
LONGEST_IN_HOURS_S = 200 * DAY  # to add up a year of hours would take twice as long as a chart may
NAMED_AT_ONCE = 500
MOST_READ = 50_000  # calls that a range is added up of; where there are more, of minutes
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
    """One call; the fields stand in the order in which calls are sorted, with the names of the columns."""

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
    return sorted(set(series_like(token, q).order_by().values_list("key", flat=True)))


def details(token: str = "", q: str = "") -> list[Detail]:
    """Every series by key and token: two queries."""
    summaries = Summary.objects.filter(level=EVER, start=0).order_by()
    ever = {pk: row for pk, *row in summaries.values_list("series_id", *SUM_COLUMNS)}
    found = series_like(token, q).order_by().values_list("pk", "key", "token", "last_ts")
    told = [_detail(key, owner, last, ever[pk]) for pk, key, owner, last in found if pk in ever]
    return sorted(told, key=attrgetter("key", "token"))


def _detail(key: str, token: str, last: int, ever: Sequence[Any]) -> Detail:
    calls, total, least, most, data = ever
    told = _clipped(histogram.percentiles_of([bytes(data)], calls, SHARES), least, most)
    return Detail(key, token, calls, last, total / calls, *told)


def sums_ever(series: Sequence[int] | None = None) -> dict[int, Sums]:
    """What all calls of each series add up to; of some series, or of all."""
    summaries = Summary.objects.filter(level=EVER, start=0).order_by()
    if series is not None:
        summaries = summaries.filter(series_id__in=series)
    return {pk: _loaded(row) for pk, *row in summaries.values_list("series_id", *SUM_COLUMNS)}


def series_like(token: str, q: str) -> Any:
    found = Series.objects.filter(key__icontains=q) if q else Series.objects.all()
    return found.filter(token=token) if token else found


def series_of(key: str, token: str = "") -> dict[int, str]:
    """The series of a key with their tokens; empty where nobody has sent such a key."""
    if "\0" in key or "\0" in token:
        return {}
    found = Series.objects.filter(key=key)
    return dict((found.filter(token=token) if token else found).values_list("pk", "token"))


def last_seen(series: Sequence[int]) -> int:
    """When the latest call of these series began, in seconds since 1970."""
    return int(Series.objects.filter(pk__in=series).aggregate(last=Max("last_ts"))["last"] or 0)


def counts(keys: Iterable[str]) -> dict[str, int]:
    """How many calls each key has had in all: what changes as soon as one is stored. Two queries."""
    owners = dict(Series.objects.filter(key__in=keys).order_by().values_list("pk", "key"))
    found: Counter[str] = Counter()
    ever = Summary.objects.filter(level=EVER, start=0, series_id__in=owners).order_by()
    for pk, count in ever.values_list("series_id", "count"):
        found[owners[pk]] += count
    return found


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
    return _made(rows.order_by("ts", "seq")[:limit])


def _made(rows: QuerySet[Sample]) -> list[Call]:
    """There may be 10,000 of them, and Call._make takes as long for each as the database."""
    return list(map(partial(tuple.__new__, Call), bulk.read(rows.values_list(*Call._fields))))


def _extras(page: Sequence[Call]) -> dict[tuple[int, int, int], str]:
    if not page:
        return {}
    rows = SampleExtra.objects.filter(
        series_id__in={call.series_id for call in page}, ts__gte=page[0].ts, ts__lte=page[-1].ts
    )
    found = list(rows.values_list("series_id", "ts", "seq", "fields"))
    wanted = {(call.series_id, call.ts, call.seq) for call in page} if found else set()
    return {row[:3]: row[3] for row in found if row[:3] in wanted}


def latest(series: Sequence[int], start: int, end: int, most: int) -> Calls:
    """The last calls of a range, the last first."""
    rows = Sample.objects.filter(series_id__in=series, ts__gte=start, ts__lte=end)
    page = _made(rows.order_by("-ts", "-seq")[:most])
    return Calls(page, _extras(page[::-1]), None)


def slowest(series: Sequence[int], start: int, end: int, most: int, now: int) -> Calls:
    """The slowest calls of a range, the slowest first, of those calls that are kept.

    They are at its ends, or lie in the ``most`` whole minutes that have the slowest one each; and these, but
    for those beside whole hours, in the hours that have.
    """
    first = max(start, kept_since(now)[spans.SECOND])
    pieces = list(spans.pieces(first, end + 1, (HOUR, MINUTE, spans.SECOND)))
    whole = [piece for piece in pieces if piece.level > spans.SECOND]
    found: list[Call] = []
    for piece in pieces:
        if piece.level == spans.SECOND:
            found = _with_slowest(found, series, piece, most)
    for peak, owner, minute in _peaks(series, whole, most):
        if len(found) == most and found[-1].execution_time >= peak:
            break
        found = _with_slowest(found, [owner], spans.Piece(MINUTE, minute, minute + MINUTE), most)
    return Calls(found, _extras(sorted(found)), None)


def _with_slowest(found: list[Call], series: Sequence[int], piece: spans.Piece, most: int) -> list[Call]:
    """The slowest of what was found and what the piece has."""
    rows = Sample.objects.filter(series_id__in=series, ts__gte=piece.start, ts__lt=piece.end)
    found = found + _made(rows.order_by("-execution_time", "ts", "seq")[:most])
    return sorted(found, key=lambda call: (-call.execution_time, call))[:most]


def _peaks(series: Sequence[int], pieces: Sequence[spans.Piece], most: int) -> list[tuple[float, int, int]]:
    """The minutes that have the slowest calls of these pieces: how slow, whose, and when."""
    sums = Summary.objects.order_by()
    minutes = []
    for piece in pieces:
        within = sums.filter(
            level=piece.level, series_id__in=series, start__gte=piece.start, start__lt=piece.end
        )
        if piece.level == MINUTE:
            minutes.append(within)
            continue
        hours = within.order_by("-most").values_list("series_id", "start")[:most]
        minutes += [
            sums.filter(level=MINUTE, series_id=owner, start__gte=hour, start__lt=hour + HOUR)
            for owner, hour in hours
        ]
    return heapq.nlargest(most, _each([some.values_list("most", "series_id", "start") for some in minutes]))


# --- Summaries -----------------------------------------------------------------------------------
def kept_since(now: int) -> dict[int, int]:
    """Since when there are single calls, and sums of minutes and hours; those of days stay for ever."""
    days = {
        spans.SECOND: settings.TIMINGS_KEEP_DAYS,
        MINUTE: settings.TIMINGS_MINUTES_KEEP_DAYS,
        HOUR: settings.TIMINGS_HOURS_KEEP_DAYS,
    }
    return {grain: now - kept * DAY for grain, kept in days.items()}


def grain_of(series: Sequence[int], start: int, end: int, now: int) -> int:
    """The finest grain that the range can be told in: kept, and not made of more than MOST_READ calls."""
    kept = spans.finest(start, kept_since(now))
    if kept > spans.SECOND or end - start > spans.LONGEST_S[spans.SECOND]:
        return max(kept, MINUTE)
    minutes = Summary.objects.filter(
        level=MINUTE, series_id__in=series, start__gt=start - MINUTE, start__lte=end
    )
    calls = minutes.aggregate(calls=Sum("count"))["calls"] or 0
    return MINUTE if calls > MOST_READ else spans.SECOND


def added_up(series: Sequence[int], ranges: Mapping[str, tuple[int, int]]) -> dict[str, Sums]:
    """What the calls of each range, without its end, add up to; without calls it is missing. Two queries."""
    pieces = [(name, piece) for name, (start, end) in ranges.items() for piece in spans.pieces(start, end)]
    rows: dict[str, list[tuple[Any, ...]]] = {}
    times: dict[str, list[float]] = {}
    for name, *row in _each(
        [
            Summary.objects.order_by()
            .filter(level=piece.level, series_id__in=series, start__gte=piece.start, start__lt=piece.end)
            .values_list(Value(name), "start", *SUM_COLUMNS)
            for name, piece in pieces
            if piece.level > spans.SECOND
        ]
    ):
        rows.setdefault(name, []).append(tuple(row))
    for name, value in _each(
        [
            Sample.objects.order_by()
            .filter(series_id__in=series, ts__gte=piece.start, ts__lt=piece.end)
            .values_list(Value(name), "execution_time")
            for name, piece in pieces
            if piece.level == spans.SECOND
        ]
    ):
        times.setdefault(name, []).append(value)
    found = {name: _added(some) for name, some in rows.items()}
    for name, some in times.items():
        sums = _sums_of(some)
        found[name] = found[name] + sums if name in found else sums
    return found


def _each(parts: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
    """The rows of several queries, asked as one."""
    return parts[0].union(*parts[1:], all=True) if parts else ()


def grid_of(start: int, end: int, most: int, least: int = 1) -> Grid:
    """The finest of SIZES_S of which the range touches at most ``most``, else whole days from its first."""
    if end - start > LONGEST_IN_HOURS_S:
        least = max(least, DAY)
    for size in SIZES_S:
        if size >= least and end // size - start // size < most:
            return Grid(size, 0)
    first = start - start % DAY
    days = (end - first) // DAY + 1
    return Grid(-(-days // most) * DAY, first)


def summary(series: Sequence[int], start: int, end: int, grid: Grid) -> list[Bucket]:
    """The buckets that the range touches and that have calls, oldest first; all are told whole."""
    first, last = grid.bucket_of(start), grid.bucket_of(end) + grid.size
    level = next((level for level in (DAY, HOUR, MINUTE) if grid.size % level == 0), None)
    if level is None:
        times = _times(series, first, last, grid)
        return [_bucket_of_calls(at, some) for at, some in sorted(times.items())]
    parts = _parts(level, series, first, last, grid)
    return [_bucket_of_sums(at, rows) for at, rows in sorted(parts.items())]


def _parts(
    level: int, series: Sequence[int], first: int, last: int, grid: Grid
) -> dict[int, list[tuple[Any, ...]]]:
    """The rows of the summaries that each bucket is made of, as SUM_COLUMNS."""
    parts: dict[int, list[tuple[Any, ...]]] = {}
    for place in range(0, len(series), NAMED_AT_ONCE):
        rows = Summary.objects.filter(
            level=level, series_id__in=series[place : place + NAMED_AT_ONCE], start__gte=first, start__lt=last
        )
        for at, *row in rows.order_by().values_list("start", *SUM_COLUMNS):
            parts.setdefault(grid.bucket_of(at), []).append(tuple(row))
    return parts


def _bucket_of_sums(at: int, rows: Sequence[tuple[Any, ...]]) -> Bucket:
    counts, totals, leasts, mosts, data = zip(*rows, strict=True)
    calls, least, most = sum(counts), min(leasts), max(mosts)
    told = histogram.percentiles_of(list(map(bytes, data)), calls, SHARES)
    return Bucket(at, calls, least, sum(totals) / calls, *_clipped(told, least, most), most)


def _bucket_of_calls(at: int, times: Sequence[float]) -> Bucket:
    """Exact: there are few."""
    ordered, calls = sorted(times), len(times)
    p50, p95, p99 = (ordered[max(1, ceil(share * calls)) - 1] for share in SHARES)
    return Bucket(at, calls, ordered[0], sum(ordered) / calls, p50, p95, p99, ordered[-1])


def _added(rows: Sequence[tuple[Any, ...]]) -> Sums:
    """Column by column: a sum of Sums would copy the histogram at each step."""
    _, counts, totals, least, most, data = zip(*rows, strict=True)
    return Sums(
        sum(counts), sum(totals), min(least), max(most), sum(histogram.loaded(bytes(part)) for part in data)
    )


def _times(series: Sequence[int], first: int, last: int, grid: Grid) -> dict[int, list[float]]:
    """For buckets shorter than a minute; their ranges are short, too."""
    times: dict[int, list[float]] = {}
    rows = Sample.objects.order_by().filter(series_id__in=series, ts__gte=first, ts__lt=last)
    for ts, value in bulk.read(rows.values_list("ts", "execution_time")):
        times.setdefault(grid.bucket_of(ts), []).append(value)
    return times


def _sums_of(times: Sequence[float]) -> Sums:
    bins = histogram.packed(histogram.bins_of(times))
    return Sums(len(times), sum(times), min(times), max(times), bins)


def _loaded(row: Sequence[Any]) -> Sums:
    count, total, least, most, data = row
    return Sums(count, total, least, most, histogram.loaded(bytes(data)))


def within(sums: Sums) -> tuple[float, float, float]:
    """The percentiles of SHARES, never beyond the least and the most that there were."""
    return _clipped(histogram.percentiles(sums.histogram, SHARES), sums.least, sums.most)


def _clipped(told: Sequence[float | None], least: float, most: float) -> tuple[float, float, float]:
    p50, p95, p99 = (min(max(value or 0.0, least), most) for value in told)
    return p50, p95, p99
