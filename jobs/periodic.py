"""What a periodic job is; the table itself is wiring and stands in djamon/schedule.py."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """A job and when it is due: ``calendar`` holds cron expressions, ``command`` the words for manage.py.

    ``when_late`` is a clause that says what follows while it is late; ``feeds_pages``: the pages show what it
    found out, so whoever reads them must know when that is old.
    """

    name: str
    title: str
    calendar: tuple[str, ...]
    command: tuple[str, ...]
    when_late: str = ""
    feeds_pages: bool = False


def periodic_jobs() -> tuple[PeriodicJob, ...]:
    """The table that PERIODIC_JOBS names."""
    table: tuple[PeriodicJob, ...] = import_string(settings.PERIODIC_JOBS)
    return table
