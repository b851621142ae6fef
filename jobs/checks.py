"""System checks of the jobs table: what would only come out when a job does not start."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs import calendar
from jobs.duty import NAME as SCHEDULER
from jobs.errors import BadCalendar
from jobs.periodic import PeriodicJob, periodic_jobs


@register()
def check_table(**_options: Any) -> list[CheckMessage]:
    return problems(periodic_jobs())


def problems(table: tuple[PeriodicJob, ...]) -> list[CheckMessage]:
    """E001: an expression that cannot be read; E002: a name that is used twice, or is the scheduler's own."""
    return [*_bad_calendars(table), *_bad_names(table)]


def _bad_calendars(table: tuple[PeriodicJob, ...]) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for job in table:
        for expression in job.calendar:
            try:
                calendar.parse(expression)
            except BadCalendar as error:
                hint = "Five fields as in crontab(5): minute, hour, day, month, weekday."
                found.append(Error(f"job {job.name}: {error}", hint=hint, id="jobs.E001"))
    return found


def _bad_names(table: tuple[PeriodicJob, ...]) -> list[CheckMessage]:
    counts = Counter([SCHEDULER, *(job.name for job in table)])
    hint = "The name is the job's lease: give each its own."
    return [
        Error(f"the job name {name} is used more than once", hint=hint, id="jobs.E002")
        for name, count in counts.items()
        if count > 1
    ]
