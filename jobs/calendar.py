"""When a calendar of cron expressions is due, in the wall time of a zone. Pure.

Semantics are those of Debian's cron, also where the clocks change: an expression whose minute or hour
begins with ``*`` is due at every instant whose wall time matches; any other names times of day and is due
once for each: in the hour that comes twice at its first coming, in the hour that is left out right after
the gap. cronsim reads the expressions and finds the times of day. Of the starred ones it loses minutes
where the clocks change by half an hour, so those are found here, minute by minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from jobs.errors import BadCalendar

MINUTE = timedelta(minutes=1)
QUARTER = 900  # seconds: offsets of all zones are multiples of it, so days and hours begin on it
CLOCK_CHANGE = timedelta(hours=3)  # more than any zone's clocks change by
HORIZON = timedelta(days=366 * 9)  # a 29 February is at most eight years away


@lru_cache(maxsize=256)
def parse(expression: str) -> CronSim:
    """The expression's fields; raises BadCalendar. Five fields only: cron itself has to read it too."""
    if len(expression.split()) != 5:
        raise BadCalendar(f"{expression!r} is no cron expression: it has not five fields")
    try:
        return CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise BadCalendar(f"{expression!r} is no cron expression: {str(error).lower()}") from None


def next_after(calendar: Iterable[str], zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first occurrence later than ``after``, in UTC."""
    return min(filter(None, (_next(expression, zone, after) for expression in calendar)), default=None)


def latest(calendar: Iterable[str], zone: ZoneInfo, at: datetime) -> datetime | None:
    """The last occurrence at or before ``at``, in UTC."""
    # Occurrences are whole minutes; every page asks, and most ask within the same one.
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    return max(filter(None, (_latest(expression, zone, minute) for expression in calendar)), default=None)


def occurrences(
    calendar: Iterable[str], zone: ZoneInfo, after: datetime, until: datetime
) -> Iterator[datetime]:
    """All in (after, until], ascending, each once, in UTC."""
    expressions = tuple(calendar)
    found = next_after(expressions, zone, after)
    while found is not None and found <= until:
        yield found
        found = next_after(expressions, zone, found)


def in_hour(calendar: Iterable[str], zone: ZoneInfo, hour: datetime) -> list[datetime]:
    """The occurrences of the 60 minutes that begin with ``hour``, a full hour in UTC; ascending, each once.

    What :func:`occurrences` gives too, but without a walk to the next occurrence of each expression.
    """
    found: set[datetime] = set()
    for expression in calendar:
        fields = parse(expression)
        in_it = _starred_in(fields, zone, hour) if _is_starred(fields) else _named_in(expression, zone, hour)
        found.update(in_it)
    return sorted(found)


def _starred_in(fields: CronSim, zone: ZoneInfo, hour: datetime) -> Iterator[datetime]:
    for start in (hour + timedelta(seconds=QUARTER * number) for number in range(4)):
        wall = start.astimezone(zone)
        if wall.hour in fields.hours and wall.month in fields.months and fields.match_day(wall.date()):
            yield from (start + MINUTE * n for n in range(QUARTER // 60) if wall.minute + n in fields.minutes)


def _named_in(expression: str, zone: ZoneInfo, hour: datetime) -> Iterator[datetime]:
    found = _next(expression, zone, hour - MINUTE)
    while found is not None and found < hour + timedelta(hours=1):
        if found >= hour:
            yield found
        found = _next(expression, zone, found)


def _next(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    fields = parse(expression)
    if _is_starred(fields):
        start = after.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
        return _walk(fields, zone, start, forward=True)
    # cronsim counts in wall time: in the second coming of an hour it begins with what is already past.
    times = (time.astimezone(UTC) for time in CronSim(expression, after.astimezone(zone)))
    return next((time for time in times if time > after), None)


@lru_cache(maxsize=256)
def _latest(expression: str, zone: ZoneInfo, at: datetime) -> datetime | None:
    """``at`` is a whole minute in UTC."""
    fields = parse(expression)
    if _is_starred(fields):
        return _walk(fields, zone, at, forward=False)
    later = (at + CLOCK_CHANGE).astimezone(zone)
    times = (time.astimezone(UTC) for time in CronSim(expression, later, reverse=True))
    return next((time for time in times if time <= at), None)


def _is_starred(fields: CronSim) -> bool:
    return bool(fields.parts[1].startswith("*") or fields.parts[2].startswith("*"))


def _walk(fields: CronSim, zone: ZoneInfo, start: datetime, *, forward: bool) -> datetime | None:
    """The nearest whole minute from ``start`` on whose wall time matches; wrong hours go by in quarters."""
    step = MINUTE if forward else -MINUTE
    at = start
    while abs(at - start) < HORIZON:
        wall = at.astimezone(zone)
        if wall.hour in fields.hours and wall.month in fields.months and fields.match_day(wall.date()):
            if wall.minute in fields.minutes:
                return at
            at += step
        else:
            into = int(at.timestamp()) % QUARTER
            at += timedelta(seconds=QUARTER - into if forward else -(into + 60))
    return None
