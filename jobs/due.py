"""Which jobs are due, and which have missed their time. Pure: instants and the table in, jobs out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from jobs import calendar
from jobs.periodic import PeriodicJob

GRACE = timedelta(minutes=2)  # a start may come this late before anybody is told
# A clock that is set back by less only waits until it has caught up; otherwise what just ran would run again.
SMALL_STEP_BACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one look at the clock decided: ``until`` is the ``previous`` of the next tick."""

    until: datetime
    due: tuple[PeriodicJob, ...]


def tick(previous: datetime, now: datetime, table: Iterable[PeriodicJob], zone: ZoneInfo) -> Tick:
    """Jobs with an occurrence in (previous, now], each once however many it missed (a suspended machine).

    After the clock was set back the calendar goes on from the new time: no storm, no hour of silence.
    """
    if now < previous - SMALL_STEP_BACK:
        return Tick(now, ())
    if now < previous:
        return Tick(previous, ())
    return Tick(now, tuple(job for job in table if _came(job, zone, previous, now)))


def _came(job: PeriodicJob, zone: ZoneInfo, previous: datetime, now: datetime) -> bool:
    last = calendar.latest(job.calendar, zone, now)
    return last is not None and last > previous


def next_due(after: datetime, table: Iterable[PeriodicJob], zone: ZoneInfo) -> datetime | None:
    """When the first of the table's jobs is due next."""
    return calendar.next_after([when for job in table for when in job.calendar], zone, after)


def missed(job: PeriodicJob, zone: ZoneInfo, last_start: datetime, now: datetime) -> datetime | None:
    """The time at which ``job`` should have started and has not, more than GRACE ago; None where all is well.

    ``last_start`` is when its last run began; for a job that never ran, when it came into the table.
    """
    last = calendar.latest(job.calendar, zone, now - GRACE)
    return last if last is not None and last > last_start else None
