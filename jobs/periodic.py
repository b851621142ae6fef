"""What a periodic job is; the table itself is wiring and stands in djamon/schedule.py."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """A job and when it is due: ``calendar`` holds cron expressions, ``command`` the words for manage.py."""

    name: str
    title: str
    calendar: tuple[str, ...]
    command: tuple[str, ...]


def periodic_jobs() -> tuple[PeriodicJob, ...]:
    """The table that PERIODIC_JOBS names."""
    table: tuple[PeriodicJob, ...] = import_string(settings.PERIODIC_JOBS)
    return table
