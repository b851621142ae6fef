"""The share of good answers, and how much of what should have been seen it rests on.

The rule: of the conclusive answers (up or down), which part was up; and of the runs that there should have
been, which part gave a conclusive answer. "99.95 % of 98.7 % observed": a fault of our own is never the
site's, and never hidden.

How many runs there should have been: as many as were recorded (inconclusive ones too), or as many as the
calendar of ``probe`` and the site's interval asked for, whichever is more in the whole span. So hours
without a run count where this machine was off, while a run by hand is no gain. Nothing is expected before a
site's first view, in the hour in which asking begins or begins again, while it is paused, and after a month
without any run. A pause is known by what the hour's roll-up found: one that begins and ends between two of
them counts as unobserved, and so does every pause before the first roll-up.

The queries read days and hours from the roll-ups and what came since from the views. Spans begin at a full
hour (the last day) or at midnight UTC (30 and 90 days).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from djamon.lib.buckets import Buckets
from monitor import expected
from monitor.expected import HOUR, full_hour
from monitor.models import Site, SiteDay, SiteHour, SiteView
from monitor.rollups import BucketNumber, UtcHour, rolled_until
from monitor.verdicts import Verdict

DAY = timedelta(days=1)
# Beyond this a query reads the rows of all sites: a list of 1,000 keys costs 5 ms, and SQLite takes 32,766.
MOST_NAMED = 500
TINY = 1e-6  # expectations are sums of fractions: 8.999999 means 9


@dataclass(frozen=True, slots=True)
class Uptime:
    """Counts of a span of time; ``expected`` is how many runs calendar and interval asked for in it."""

    up: int = 0
    down: int = 0
    inconclusive: int = 0
    expected: float = 0.0

    def __add__(self, other: Uptime) -> Uptime:
        return Uptime(
            self.up + other.up,
            self.down + other.down,
            self.inconclusive + other.inconclusive,
            self.expected + other.expected,
        )

    @property
    def conclusive(self) -> int:
        return self.up + self.down

    @property
    def due(self) -> int:
        """Runs that there should have been."""
        return max(self.conclusive + self.inconclusive, int(self.expected + TINY))

    @property
    def share(self) -> float | None:
        """Of the conclusive answers, from 0 to 1; None without any."""
        return self.up / self.conclusive if self.conclusive else None

    @property
    def coverage(self) -> float | None:
        """The observed part of what was due, from 0 to 1; None where nothing was."""
        return self.conclusive / self.due if self.due else None

    @property
    def percent(self) -> str:
        """``99.95 %`` for a narrow cell; a dash without a conclusive answer."""
        return _percent(self.up, self.conclusive, places=2) if self.conclusive else "–"

    def __str__(self) -> str:
        return in_words(self)


@dataclass(frozen=True, slots=True)
class Figures:
    """A site's uptime of the last 24 hours, and of today with the 30 and the 90 days before."""

    day: Uptime = Uptime()
    days_30: Uptime = Uptime()
    days_90: Uptime = Uptime()


@dataclass(frozen=True, slots=True)
class DayUptime:
    """One cell of the calendar; ``day`` is a day in TIME_ZONE."""

    day: date
    uptime: Uptime


class Spans(NamedTuple):
    """Where the spans of Figures begin."""

    day: datetime
    days_30: datetime
    days_90: datetime


def in_words(uptime: Uptime) -> str:
    """``99.95 % of 98.7 % observed``; ``not observed`` without such an answer, ``not asked`` if none was due.

    Cut off, not rounded: only what is whole is called 100 %.
    """
    if not uptime.due:
        return "not asked"
    if not uptime.conclusive:
        return "not observed"
    observed = _percent(uptime.conclusive, uptime.due, places=1)
    return f"{uptime.percent} of {observed} observed"


def _percent(part: int, whole: int, *, places: int) -> str:
    if part == whole:
        return "100 %"
    scale = 10**places
    cut = 100 * scale * part // whole
    return f"{cut // scale}.{cut % scale:0{places}} %"


def spans(now: datetime) -> Spans:
    """The last 24 hours from the full hour on; 30 and 90 days from midnight UTC on."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return Spans(full_hour(now - DAY), midnight - 30 * DAY, midnight - 90 * DAY)


def of_site(site: Site, now: datetime) -> Figures:
    """The figures of one site. Four queries, along indexes, of at most some 200 rows and the newest views."""
    return of_sites([site], now)[site.pk]


class Stored(NamedTuple):
    """What the roll-ups say of many sites; good as long as ``begin`` and ``rolled`` are: an hour."""

    begin: Spans
    rolled: datetime | None
    totals: dict[int, list[Uptime]]
    watched: set[int]


def of_sites(sites: Sequence[Site], now: datetime) -> dict[int, Figures]:
    """The figures of each site, by its key. Four queries, however many sites or long their history."""
    return with_views(stored(sites, now), sites, now)


def stored(sites: Sequence[Site], now: datetime, before: Stored | None = None) -> Stored:
    """The sums of days and hours: most of the work. Those of ``before`` where they still hold: one query."""
    begin, rolled = spans(now), rolled_until()
    if before is not None and (before.begin, before.rolled) == (begin, rolled):
        return before
    totals: dict[int, list[Uptime]] = {site.pk: [Uptime()] * len(Spans._fields) for site in sites}
    watched: set[int] = set()
    if rolled is not None:
        _add_days(totals, sites, begin, rolled)
        watched = _add_hours(totals, sites, begin, rolled)
    return Stored(begin, rolled, totals, watched)


def with_views(stored: Stored, sites: Sequence[Site], now: datetime) -> dict[int, Figures]:
    """The figures of each site, with what came since the last roll-up. One query."""
    begin, rolled, before, watched = stored
    so_far = lru_cache(maxsize=None)(expected.so_far)
    totals = {site.pk: list(before.get(site.pk) or [Uptime()] * len(begin)) for site in sites}
    _add_views(totals, sites, begin, rolled, now)
    for site in sites:
        if rolled is not None and site.enabled and site.pk in watched:
            for number, start in enumerate(begin):
                due = so_far(max(start, rolled), now, site.interval_min)
                totals[site.pk][number] += Uptime(expected=due)
    return {key: Figures(*values) for key, values in totals.items()}


def by_day(site: Site, days: int, now: datetime) -> list[DayUptime]:
    """The uptime of each of the last ``days`` days in TIME_ZONE, today included, the oldest first.

    An hour counts for the day in which it begins (some zones have midnight at half past). The database adds
    up the days: a query for each stretch without a change of the clock, and three more.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    today = now.astimezone(zone).date()
    wanted = [today - timedelta(days=number) for number in range(days - 1, -1, -1)]
    totals = {day: Uptime() for day in wanted}
    start, rolled = _midnight(wanted[0], zone), rolled_until()
    watched = False
    if rolled is not None:
        for stretch in _stretches(wanted, zone):
            _add_stretch(totals, site, stretch, zone, rolled)
        last = SiteHour.objects.filter(site=site, hour=rolled - HOUR)
        watched = site.enabled and last.exists()
    since = full_hour(max(start, rolled) if rolled else start)
    for hour, uptime in _live_hours(site, since, now, watched=watched):
        day = hour.astimezone(zone).date()
        if day in totals:
            totals[day] += uptime
    return [DayUptime(day, uptime) for day, uptime in totals.items()]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _stretches(days: Sequence[date], zone: ZoneInfo) -> list[list[date]]:
    """The days in runs that begin at the same distance from UTC."""
    offset = lambda day: datetime.combine(day, time(), zone).utcoffset()  # noqa: E731
    return [list(run) for _, run in groupby(days, key=offset)]


def _add_stretch(
    totals: dict[date, Uptime], site: Site, days: Sequence[date], zone: ZoneInfo, rolled: datetime
) -> None:
    start, end = _midnight(days[0], zone), min(_midnight(days[-1] + DAY, zone), rolled)
    offset = datetime.combine(days[0], time(), zone).utcoffset() or timedelta(0)
    buckets = Buckets(86_400, int(offset.total_seconds()))
    rows = SiteHour.objects.filter(site=site, hour__gte=start, hour__lt=end).order_by()
    sums = {f"sum_{field}": Sum(field) for field in ("up", "down", "inconclusive", "expected")}
    for number, *values in rows.values_list(BucketNumber("hour", buckets)).annotate(**sums):
        # The day on which clocks are set back has an hour more.
        day = min(date(1970, 1, 1) + int(number) * DAY, days[-1])
        totals[day] += Uptime(*values)


def by_hour(site: Site, start: datetime, now: datetime) -> list[tuple[datetime, Uptime]]:
    """The site's hours from that of ``start`` until ``now``, oldest first, without the empty ones."""
    start, rolled = full_hour(start), rolled_until()
    found: list[tuple[datetime, Uptime]] = []
    if rolled is not None:
        fields = ("hour", "up", "down", "inconclusive", "expected")
        rows = SiteHour.objects.filter(site=site, hour__gte=min(start, rolled - HOUR), hour__lt=rolled)
        found = [(hour, Uptime(*values)) for hour, *values in rows.order_by("hour").values_list(*fields)]
    watched = bool(rolled and found and site.enabled and found[-1][0] == rolled - HOUR)
    since = max(start, rolled) if rolled else start
    found += _live_hours(site, since, now, watched=watched)
    return [(hour, uptime) for hour, uptime in found if hour >= start]


def _live_hours(
    site: Site, since: datetime, now: datetime, *, watched: bool
) -> list[tuple[datetime, Uptime]]:
    """The hours that are not rolled up yet, from the views."""
    views = SiteView.objects.filter(site=site, date__gte=since, date__lte=now).order_by()
    rows = views.values_list(UtcHour(F("date")), "verdict").annotate(number=Count("*"))
    totals: dict[datetime, Uptime] = {}
    for hour, verdict, number in rows:
        totals[hour] = totals.get(hour, Uptime()) + _counted(verdict, number)
    for hour in expected.hours_between(since, now) if watched else ():
        due = expected.so_far(hour, min(now, hour + HOUR + expected.UNDER_WAY), site.interval_min)
        totals[hour] = totals.get(hour, Uptime()) + Uptime(expected=due)
    return sorted(totals.items(), key=lambda item: item[0])


def _add_days(totals: dict[int, list[Uptime]], sites: Sequence[Site], begin: Spans, rolled: datetime) -> None:
    """30 and 90 days from the days' rows; that of today holds its hours that are rolled up."""
    rows = SiteDay.objects.filter(day__gte=begin.days_90.date(), day__lte=rolled.date())
    recent = Q(day__gte=begin.days_30.date())
    sums = _sums("recent", recent) | _sums("all", Q())
    for key, *values in _of(rows, sites).values_list("site_id").annotate(**sums):
        if key in totals:
            totals[key][1] += Uptime(*values[:4])
            totals[key][2] += Uptime(*values[4:])


def _add_hours(
    totals: dict[int, list[Uptime]], sites: Sequence[Site], begin: Spans, rolled: datetime
) -> set[int]:
    """The last day from the hours' rows; gives the sites that were watched in the last hour rolled up."""
    rows = SiteHour.objects.filter(hour__gte=min(begin.day, rolled - HOUR), hour__lt=rolled)
    sums = _sums("day", Q(hour__gte=begin.day))
    watched = set()
    for key, last, *values in _of(rows, sites).values_list("site_id").annotate(last=Max("hour"), **sums):
        if key in totals:
            totals[key][0] += Uptime(*values)
            if last == rolled - HOUR:
                watched.add(key)
    return watched


def _add_views(
    totals: dict[int, list[Uptime]],
    sites: Sequence[Site],
    begin: Spans,
    rolled: datetime | None,
    now: datetime,
) -> None:
    """All three spans from the views of the hours that are not rolled up yet."""
    since = max(begin.days_90, rolled) if rolled else begin.days_90
    views = _of(SiteView.objects.filter(date__gte=since, date__lte=now), sites)
    # As a rule all spans hold all of these views: SQLite then counts each row once, not three times.
    counts = {
        f"n{number}": Count("verdict", filter=Q(date__gte=start) if start > since else None)
        for number, start in enumerate(begin)
    }
    for key, verdict, *numbers in views.values_list("site_id", "verdict").annotate(**counts):
        for place, number in enumerate(numbers if key in totals else ()):
            totals[key][place] += _counted(verdict, number)


def _of(rows: QuerySet[Any], sites: Sequence[Site]) -> QuerySet[Any]:
    """Those of the sites; of all where they are too many to name each, along the same index."""
    keys: Any = [site.pk for site in sites]
    return rows.filter(site__in=keys if len(keys) <= MOST_NAMED else Site.objects.values("pk")).order_by()


def _sums(name: str, condition: Q) -> dict[str, Any]:
    return {
        f"{name}_{field}": Coalesce(Sum(field, filter=condition), 0.0 if field == "expected" else 0)
        for field in ("up", "down", "inconclusive", "expected")
    }


def _counted(verdict: int, number: int) -> Uptime:
    match verdict:
        case Verdict.UP:
            return Uptime(up=number)
        case Verdict.DOWN:
            return Uptime(down=number)
        case _:
            return Uptime(inconclusive=number)
