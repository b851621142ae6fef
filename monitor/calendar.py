"""A site's last 90 days as a calendar: weeks as columns, each day with its uptime in a few steps.

The rules are pure; the queries around them read the days from monitor.uptime and the falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby
from typing import Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from monitor import uptime
from monitor.models import Site
from monitor.uptime import DayUptime, Uptime

# The day-… classes of the stylesheet.
Level = Literal["whole", "fine", "short", "bad", "unseen", "unasked"]
Span = tuple[datetime, datetime | None]  # when a site fell and when it came back

DAYS = 90
WEEK = 7
FINE, SHORT = 0.999, 0.99
SEEN = 0.5  # with less of it observed a good day is not called one
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEGEND: dict[Level, str] = {
    "whole": "100 %",
    "fine": "99.9 % or more",
    "short": "99 % or more",
    "bad": "less",
    "unseen": "less than half observed",
    "unasked": "not asked",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One day; ``words`` say it all, ``query`` is the range of the results on that day."""

    day: date
    level: Level
    words: str
    query: str


@dataclass(frozen=True, slots=True)
class Month:
    """A heading over ``weeks`` columns."""

    name: str
    weeks: int


@dataclass(frozen=True, slots=True)
class Row:
    """One weekday in each of the weeks; None where the week's day is not shown."""

    name: str
    cells: list[Cell | None]


@dataclass(frozen=True, slots=True)
class Calendar:
    months: list[Month]
    rows: list[Row]
    legend: dict[Level, str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was due on any of its days."""
        return all(cell is None or cell.level == "unasked" for row in self.rows for cell in row.cells)


def of_site(site: Site, now: datetime) -> Calendar:
    """The last 90 days of the site in TIME_ZONE. At most four queries."""
    zone = ZoneInfo(settings.TIME_ZONE)
    days = uptime.by_day(site, DAYS, now)
    begin = datetime.combine(days[0].day, time(), zone)
    falls = site.falls.filter(Q(back_at__isnull=True) | Q(back_at__gt=begin)).order_by()
    return draw(days, list(falls.values_list("fell_at", "back_at")), now, zone)


def draw(days: Sequence[DayUptime], falls: Sequence[Span], now: datetime, zone: tzinfo) -> Calendar:
    """``days`` follow one another, the oldest first."""
    fallen = _falls_by_day(falls, days[0].day, now, zone)
    today = now.astimezone(zone).date()
    cells: list[Cell | None] = [
        _cell(found, fallen.get(found.day, 0), so_far=found.day == today) for found in days
    ]
    padded = [None] * days[0].day.weekday() + cells
    padded += [None] * (-len(padded) % WEEK)
    rows = [Row(name, padded[number::WEEK]) for number, name in enumerate(WEEKDAYS)]
    return Calendar(_months(padded), rows, LEGEND)


def level_of(found: Uptime) -> Level:
    """How good a day was. What was hardly looked at is not called good, but what was bad is called bad."""
    share, coverage = found.share, found.coverage
    if coverage is None:
        return "unasked"
    if share is None or (share >= FINE and coverage < SEEN):
        return "unseen"
    if share == 1:
        return "whole"
    if share >= FINE:
        return "fine"
    return "short" if share >= SHORT else "bad"


def _cell(found: DayUptime, outages: int, *, so_far: bool) -> Cell:
    words = f"{found.day}{', so far' if so_far else ''}: {uptime.in_words(found.uptime)}"
    if outages:
        words += f", {outages} {'outage' if outages == 1 else 'outages'}"
    query = urlencode({"from": found.day, "to": found.day})
    return Cell(found.day, level_of(found.uptime), words, query)


def _falls_by_day(falls: Sequence[Span], first: date, now: datetime, zone: tzinfo) -> dict[date, int]:
    """On how many falls each day lies: one that spans midnight counts for both days."""
    counts: dict[date, int] = {}
    for fell_at, back_at in falls:
        day = max(fell_at.astimezone(zone).date(), first)
        last = (back_at or now).astimezone(zone).date()
        while day <= last:
            counts[day] = counts.get(day, 0) + 1
            day += timedelta(days=1)
    return counts


def _months(padded: Sequence[Cell | None]) -> list[Month]:
    """A week belongs to the month of its first day that is shown."""
    weeks = [padded[start : start + WEEK] for start in range(0, len(padded), WEEK)]
    firsts = [next(cell.day for cell in week if cell is not None) for week in weeks]
    by_month = groupby(firsts, key=lambda day: (day.year, day.month))
    return [Month(f"{date(*month, 1):%b}", len(list(days))) for month, days in by_month]
