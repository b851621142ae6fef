"""What every page says at its top while a job is late or its runs meet a fault of our own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from djamon.lib.hooks import Banner, Level
from jobs import queries
from jobs.models import JobRun
from jobs.queries import JobStatus

LATE_FOR_LONG = timedelta(minutes=30)  # without a run of a job that feeds the pages: red, no longer yellow


def banners(now: datetime) -> Iterable[Banner]:
    """One for each late job, one for each whose last finished run was a local fault."""
    for status in queries.statuses(now):
        if status.missed:
            yield _late(status, now)
        if status.finished and status.fault_since:
            since = _clock(status.fault_since, now)
            public = fault_in_public(since) if status.job.feeds_pages else ""
            yield Banner(
                "warning", fault_sentence(status, status.finished, since), "jobs", "See the jobs", public
            )


def _late(status: JobStatus, now: datetime) -> Banner:
    feeds_pages = status.job.feeds_pages
    for_long = status.last_start is not None and now - status.last_start > LATE_FOR_LONG
    level: Level = "danger" if feeds_pages and for_long else "warning"
    public = late_in_public(status, now) if feeds_pages else ""
    return Banner(level, late_sentence(status), "jobs", "See the jobs", public)


def fault_sentence(status: JobStatus, run: JobRun, since: str) -> str:
    """Since when every run has met a fault of our own, and which the last: what they would have found out
    is not known.
    """
    return f"Local fault since {since}, in “{status.job.title}”: {run.message}."


def fault_in_public(since: str) -> str:
    return f"What is shown may be old: checks have failed for a reason of our own since {since}."


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
    return f"What is shown may be old: no check has run since {_clock(status.last_start, now)}."


def _clock(moment: datetime, now: datetime) -> str:
    local = timezone.localtime(moment)
    today = local.date() == timezone.localtime(now).date()
    return f"{local:{'%H:%M' if today else '%Y-%m-%d %H:%M'}}"
