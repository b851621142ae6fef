"""What every page says at its top while a job is late or the last run met a fault of our own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from djamon.lib.hooks import Banner, Level
from jobs import queries
from jobs.models import JobRun
from jobs.queries import JobStatus

FAULT_IN_PUBLIC = "What is shown may be old: the last check failed for a reason of our own."
LATE_FOR_LONG = timedelta(minutes=30)  # without a run of a job that feeds the pages: red, no longer yellow


def banners(now: datetime) -> Iterable[Banner]:
    """One for each late job, one for each whose last finished run was a local fault."""
    for status in queries.statuses(now):
        if status.missed:
            yield _late(status, now)
        if status.finished and status.finished.state == JobRun.State.FAULT:
            public = FAULT_IN_PUBLIC if status.job.feeds_pages else ""
            yield Banner("warning", fault_sentence(status.finished), "jobs", "See the jobs", public)


def _late(status: JobStatus, now: datetime) -> Banner:
    feeds_pages = status.job.feeds_pages
    for_long = status.last_start is not None and now - status.last_start > LATE_FOR_LONG
    level: Level = "danger" if feeds_pages and for_long else "warning"
    public = late_in_public(status, now) if feeds_pages else ""
    return Banner(level, late_sentence(status), "jobs", "See the jobs", public)


def fault_sentence(run: JobRun) -> str:
    """When the run met a fault of our own, and which: what it would have found out is not known."""
    return (
        f"The run of {timezone.localtime(run.started):%Y-%m-%d %H:%M} met a fault of our own: {run.message}."
    )


def late_sentence(status: JobStatus) -> str:
    """The job by its title, since when it has not run, and what follows from that."""
    if status.last_start is None:
        return f"“{status.job.title}” has never run: start it with “make run”, or by cron (see the jobs)."
    since = timezone.localtime(status.last_start)
    what_follows = f": {status.job.when_late}" if status.job.when_late else ""
    return f"No run of “{status.job.title}” since {since:%Y-%m-%d %H:%M}{what_follows}."


def late_in_public(status: JobStatus, now: datetime) -> str:
    """The same for strangers, who are not told of jobs; the day only where it is not today's."""
    if status.last_start is None:
        return "What is shown may be old: no check has run yet."
    since = timezone.localtime(status.last_start)
    today = since.date() == timezone.localtime(now).date()
    return (
        f"What is shown may be old: no check has run since {since:{'%H:%M' if today else '%Y-%m-%d %H:%M'}}."
    )
