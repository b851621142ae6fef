"""How many runs a site should have seen: what the calendar of ``probe`` and the site's interval asked for.

Knows nothing of what was recorded, nor of pauses; monitor.rollups decides for which hours this counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs import calendar
from jobs.periodic import periodic_jobs

HOUR = timedelta(hours=1)
# A run that has just begun has not recorded anything yet.
UNDER_WAY = timedelta(minutes=2)
SLACK_MIN = 0.5  # monitor.due asks a site this much before its interval is over


def full_hour(at: datetime) -> datetime:
    """The beginning of its hour, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """The full hours from ``start`` on that begin before ``end``."""
    while start < end:
        yield start
        start += HOUR


def per_hour(runs: int, interval_min: int | None) -> float:
    """Runs of a site in an hour in which the calendar has ``runs`` of them, evenly.

    A site with an interval is asked in the first run after it: every 7 minutes in runs 5 minutes apart means
    every 10. Fractions stay: every 90 minutes is two thirds of a run an hour.
    """
    if not runs or interval_min is None:
        return float(runs)
    apart_min = 60 / runs
    rounds = max(1, ceil((interval_min - SLACK_MIN) / apart_min))
    return 60 / (rounds * apart_min)


def of_hour(hour: datetime, interval_min: int | None) -> float:
    """What the present calendar asks of a site in the hour that begins then."""
    return per_hour(len(_runs_of(hour)), interval_min)


def so_far(start: datetime, now: datetime, interval_min: int | None) -> float:
    """What should have been recorded from the full hour ``start`` until ``now``."""
    until = now - UNDER_WAY
    hours = list(hours_between(start, until))
    if not hours:
        return 0.0
    *whole, last = hours
    runs = _runs_of(last)
    part = sum(run < until for run in runs) / len(runs) if runs else 0.0
    return sum(of_hour(hour, interval_min) for hour in whole) + part * of_hour(last, interval_min)


def _runs_of(hour: datetime) -> tuple[datetime, ...]:
    return _runs(_probe_calendar(), settings.TIME_ZONE, hour)


def _probe_calendar() -> tuple[str, ...]:
    return next((job.calendar for job in periodic_jobs() if job.name == "probe"), ())


@lru_cache(maxsize=5000)  # pages ask for the hours of today, a first roll-up for those of months
def _runs(expressions: tuple[str, ...], zone: str, hour: datetime) -> tuple[datetime, ...]:
    return tuple(calendar.in_hour(expressions, ZoneInfo(zone), hour))
