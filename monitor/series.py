"""One site's response times over a range, in at most SERIES_POINTS points, and its falls in that time.

Each request is a point where they are few; else a point is a bucket of them. Beyond RAW_SPAN, and where the
views are purged, the points come from the hours that are rolled up: adding up 130,000 views took 300 ms on
SQLite even along the index, as each lies on a page of its own. Nothing here writes.

A point has phases where those of all its good answers are known, and then they add up to its average: a
phase that an answer did not have took no time. Hours that were rolled up before they had phases know none,
and a point that holds one of them has its average alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from djamon.lib.buckets import Buckets, TimeRange, buckets_for
from monitor.models import OutageSites, Site, SiteHour, SiteView
from monitor.rollups import UNPHASED, BucketNumber
from monitor.verdicts import PHASES, Verdict

SERIES_POINTS = 500
# A week of a site that is asked each minute is 10,080 views: 35 ms.
RAW_SPAN = timedelta(days=7)
HOUR = timedelta(hours=1)
MOST_FALLS = 200
# What a grouped query gives, in the order in which _of_row takes it.
ROW = ("number", "requests", "ups", "failures", "slowest", "ms", *(f"all_{name}" for name in PHASES))


@dataclass(frozen=True, slots=True)
class Point:
    """A request, or a bucket of them, from ``at`` on.

    Milliseconds are those of the good answers: ``average_ms`` and the phases are their means, None where
    there was none; ``reason`` is why one of the ``failures`` failed, empty where it is not known any more.
    """

    at: datetime
    requests: int
    up: int
    failures: int
    average_ms: float | None = None
    slowest_ms: float | None = None
    lookup_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    wait_ms: float | None = None
    reason: str = ""

    @property
    def phased(self) -> bool:
        """Whether its phases are known."""
        return any(getattr(self, name) is not None for name in PHASES)

    @property
    def unsplit_ms(self) -> float | None:
        """The average where that is all that is known of the time."""
        return None if self.phased else self.average_ms


@dataclass(frozen=True, slots=True)
class Fall:
    """When the site was down: ``end`` is None while it is."""

    start: datetime
    end: datetime | None
    outage: int
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order of time; without ``buckets`` each is one request."""

    shown: TimeRange
    buckets: Buckets | None
    points: list[Point]
    falls: list[Fall]

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that were measured, in their order."""
        return tuple(name for name in PHASES if any(getattr(point, name) for point in self.points))


def series_of(site: Site, shown: TimeRange, zone: tzinfo) -> Series:
    """What pages and JSON show of the range; two to five queries. Buckets begin at midnights of ``zone``."""
    buckets, points = _points(site, shown, buckets_for(shown, zone, SERIES_POINTS))
    return Series(shown, buckets, points, _falls(site, shown))


def merged(series: Series, zone: tzinfo, most: int) -> Series:
    """The same in at most ``most`` points."""
    if len(series.points) <= most:
        return series
    buckets = buckets_for(series.shown, zone, most)
    groups: dict[int, list[Point]] = {}
    for point in series.points:
        groups.setdefault(buckets.number_of(point.at), []).append(point)
    points = [_sum(_start(buckets, number, series.shown), group) for number, group in groups.items()]
    return replace(series, buckets=buckets, points=points)


def _points(site: Site, shown: TimeRange, buckets: Buckets) -> tuple[Buckets | None, list[Point]]:
    if shown.end - shown.start > RAW_SPAN:
        return _from_hours(site, shown, buckets)
    views = _views(site, shown.start, shown.end)
    found = views[: SERIES_POINTS + 1].count()
    if found > SERIES_POINTS:
        return buckets, _bucketed(views, shown, buckets)
    # None at all: nothing was asked then, or it is purged, and its hours are not.
    return (None, _single(views)) if found else _from_hours(site, shown, buckets)


def _from_hours(site: Site, shown: TimeRange, buckets: Buckets) -> tuple[Buckets, list[Point]]:
    """From the hours that are rolled up, of which none is left out, and from the views that came later."""
    coarse = Buckets(max(buckets.size_s, 3600), buckets.shift_s)
    last = SiteHour.objects.filter(site=site).aggregate(last=Max("hour"))["last"]
    rolled_up = max(last + HOUR, shown.start) if last else shown.start
    points = _of_hours(site, replace(shown, end=min(rolled_up, shown.end)), coarse) if last else []
    if rolled_up < shown.end:
        points = _joined(points, _bucketed(_views(site, rolled_up, shown.end), shown, coarse))
    return coarse, points


def _views(site: Site, start: datetime, end: datetime) -> QuerySet[SiteView]:
    """Along the index of site and date."""
    return SiteView.objects.filter(site=site, date__gte=start, date__lt=end).order_by("date")


def _single(views: QuerySet[SiteView]) -> list[Point]:
    return [_of_view(*row) for row in views.values_list("date", "verdict", "reason", "total_ms", *PHASES)]


def _of_view(date: datetime, verdict: int, reason: str, total_ms: float, *phases: Any) -> Point:
    if verdict == Verdict.UP:
        return Point(date, 1, 1, 0, total_ms, total_ms, *phases)
    failed = verdict == Verdict.DOWN
    return Point(date, 1, 0, int(failed), reason=reason if failed else "")


def _bucketed(views: QuerySet[SiteView], shown: TimeRange, buckets: Buckets) -> list[Point]:
    """One grouped query over one range of the index of site and date."""
    up, down = Q(verdict=Verdict.UP), Q(verdict=Verdict.DOWN)
    rows = (
        views.order_by()
        .values(number=BucketNumber("date", buckets))
        .annotate(
            requests=Count("pk"),
            ups=Count("pk", filter=up),
            failures=Count("pk", filter=down),
            slowest=Max("total_ms", filter=up),
            ms=Sum("total_ms", filter=up),
            **{f"all_{name}": Sum(name, filter=up) for name in PHASES},
            why=Coalesce(Max("reason", filter=down), Value("")),
        )
        .order_by("number")
        .values_list("why", *ROW)
    )
    return [_of_row(shown, buckets, row, reason=why) for why, *row in rows]


def _of_hours(site: Site, shown: TimeRange, buckets: Buckets) -> list[Point]:
    """One grouped query along the index of site and hour; the first hour counts whole."""
    begun = shown.start.replace(minute=0, second=0, microsecond=0)
    hours = SiteHour.objects.filter(site=site, hour__gte=begun, hour__lt=shown.end, runs__gt=0).order_by()
    rows = (
        hours.values(number=BucketNumber("hour", buckets))
        .annotate(
            requests=Sum("runs"),
            ups=Sum("up"),
            failures=Sum("down"),
            slowest=Max("ms_max"),
            ms=Sum("ms_sum"),
            **{f"all_{name}": Sum(f"{name}_sum") for name in PHASES},
            unphased=Sum("up", filter=UNPHASED),
        )
        .order_by("number")
        .values_list("unphased", *ROW)
    )
    return [_of_row(shown, buckets, row, phased=not unphased) for unphased, *row in rows]


def _of_row(
    shown: TimeRange, buckets: Buckets, row: Sequence[Any], *, phased: bool = True, reason: str = ""
) -> Point:
    """A point of one grouped row; ``phased``: the phases of all its good answers are known."""
    number, requests, ups, failures, slowest, *sums = row
    average, *phases = [total / ups if ups and total is not None else None for total in sums]
    known: dict[str, Any] = dict(zip(PHASES, phases, strict=True)) if phased else {}
    start = _start(buckets, int(number), shown)
    return Point(start, requests, ups, failures, average, slowest, reason=reason, **known)


def _start(buckets: Buckets, number: int, shown: TimeRange) -> datetime:
    """Where the bucket begins, within the range."""
    return max(buckets.start_of_number(number), shown.start)


def _joined(earlier: list[Point], later: list[Point]) -> list[Point]:
    """The bucket in which the rolled-up hours end is in both."""
    if earlier and later and earlier[-1].at == later[0].at:
        return [*earlier[:-1], _sum(later[0].at, [earlier[-1], later[0]]), *later[1:]]
    return earlier + later


def _sum(at: datetime, points: list[Point]) -> Point:
    """All of them as one; a mean counts for as many good answers as it is of."""
    good = [point for point in points if point.up]
    phases = PHASES if all(point.phased for point in good) else ()
    return Point(
        at,
        requests=sum(point.requests for point in points),
        up=sum(point.up for point in points),
        failures=sum(point.failures for point in points),
        slowest_ms=max((p.slowest_ms for p in points if p.slowest_ms is not None), default=None),
        reason=next((point.reason for point in points if point.reason), ""),
        **{name: _mean(name, good) for name in ("average_ms", *phases)},
    )


def _mean(name: str, good: Sequence[Point]) -> float | None:
    """Of all their good answers, also of those that did not have the phase; None where none had it."""
    sums = [getattr(point, name) * point.up for point in good if getattr(point, name) is not None]
    return sum(sums) / sum(point.up for point in good) if sums else None


def _falls(site: Site, shown: TimeRange) -> list[Fall]:
    """The falls that reach into the range, the newest of them, in the order of time."""
    still_down = Q(back_at__isnull=True) | Q(back_at__gt=shown.start)
    falls = OutageSites.objects.filter(still_down, site=site, fell_at__lt=shown.end).order_by("-fell_at")
    rows = falls.values_list("fell_at", "back_at", "outage_id", "reason")[:MOST_FALLS]
    return [Fall(*row) for row in reversed(rows)]
