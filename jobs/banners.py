"""What every page says at its top while a job is late or the last run met a fault of our own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from djamon.lib.hooks import Banner
from jobs import queries
from jobs.models import JobRun
from jobs.queries import JobStatus


def banners(now: datetime) -> Iterable[Banner]:
    """One for each late job, one for each whose last finished run was a local fault."""
    for status in queries.statuses(now):
        if status.missed:
            yield Banner("danger", late_sentence(status), "jobs", "See the jobs")
        if status.finished and status.finished.state == JobRun.State.FAULT:
            yield Banner("warning", fault_sentence(status.finished), "jobs", "See the jobs")


def fault_sentence(run: JobRun) -> str:
    """When the run met a fault of our own, and which: what it would have found out is not known."""
    return (
        f"The run of {timezone.localtime(run.started):%Y-%m-%d %H:%M} met a fault of our own: {run.message}."
    )


def late_sentence(status: JobStatus) -> str:
    """The job by its title, and since when it has not run."""
    if status.last_start is None:
        return f"“{status.job.title}” has never run: start it with “make run”, or by cron (see the jobs)."
    since = timezone.localtime(status.last_start)
    return f"No run of “{status.job.title}” since {since:%Y-%m-%d %H:%M}: what the pages show is old."
