"""What the pages, /healthz and /metrics show of the jobs; query counts do not grow with the history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs import calendar, due, leases
from jobs.models import Checkpoint, JobRun, Lease
from jobs.periodic import PeriodicJob, periodic_jobs

RUNS_SHOWN = 20
FIRST_GRACE = timedelta(minutes=10)  # for a new job to be started by whatever shall start it
KNOWN_SINCE = "known since"  # checkpoint of each job: when it came into the table


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job of the table as it stands; ``missed`` is the time at which it should have started and has not.

    ``fault_since`` is when the row of faulty runs began that its last finished one belongs to, if it does.
    """

    job: PeriodicJob
    latest: JobRun | None
    finished: JobRun | None
    running: JobRun | None
    missed: datetime | None
    fault_since: datetime | None = None

    @property
    def last_start(self) -> datetime | None:
        return self.latest.started if self.latest else None


@dataclass(frozen=True, slots=True)
class JobHistory:
    """A job with its last runs, newest first; ``next_due`` is None where its calendar names no time."""

    status: JobStatus
    next_due: datetime | None
    runs: list[JobRun]


def statuses(now: datetime) -> list[JobStatus]:
    """Every job of the table: one query, and one more while some job has never run."""
    table = periodic_jobs()
    rows = Lease.objects.select_related("latest_run", "latest_finished")
    found = rows.in_bulk([job.name for job in table])
    new = [job.name for job in table if job.name not in found or found[job.name].latest_run is None]
    known = _known_since(new) if new else {}
    return [_status(job, found.get(job.name), known.get(job.name), now) for job in table]


def are_pages_in_doubt(now: datetime) -> bool:
    """Whether they may show old news: a job that feeds them missed its time or met a fault of our own."""
    feeding = [status for status in statuses(now) if status.job.feeds_pages]
    return any(status.missed or status.fault_since for status in feeding)


def _status(job: PeriodicJob, lease: Lease | None, known: datetime | None, now: datetime) -> JobStatus:
    latest = lease.latest_run if lease else None
    running = latest if lease and latest and latest.state == JobRun.State.RUNNING else None
    since = latest.started if latest else known and known + FIRST_GRACE
    return JobStatus(
        job=job,
        latest=latest,
        finished=lease.latest_finished if lease else None,
        running=running,
        missed=due.missed(job, zone(), since, now) if since and not running else None,
        fault_since=_fault_since(lease) if lease else None,
    )


def _fault_since(lease: Lease) -> datetime | None:
    last = lease.latest_finished
    return (lease.fault_since or last.started) if last and last.state == JobRun.State.FAULT else None


def _known_since(names: Iterable[str]) -> dict[str, datetime]:
    stored = Checkpoint.objects.filter(job__in=list(names), key=KNOWN_SINCE).values_list("job", "value")
    return {job: datetime.fromisoformat(value) for job, value in stored}


def note_new_jobs(now: datetime) -> None:
    """Remember since when each job of the table is known, so that one that never ran can be late."""
    for job in periodic_jobs():
        Checkpoint.objects.get_or_create(job=job.name, key=KNOWN_SINCE, defaults={"value": now.isoformat()})


def histories(now: datetime) -> list[JobHistory]:
    """Every job of the table with its last runs: a query each."""
    return [
        JobHistory(status, calendar.next_after(status.job.calendar, zone(), now), _last_runs(status.job.name))
        for status in statuses(now)
    ]


def _last_runs(name: str) -> list[JobRun]:
    return list(JobRun.objects.filter(name=name)[:RUNS_SHOWN])


def other_runs() -> list[JobRun]:
    """The last runs of jobs that stand in no table: what people started by hand."""
    return list(JobRun.objects.exclude(name__in=[job.name for job in periodic_jobs()])[:RUNS_SHOWN])


def scheduler_lease() -> Lease | None:
    return Lease.objects.filter(name="scheduler").first()


def is_scheduler_alive(lease: Lease | None, now: datetime) -> bool:
    return lease is not None and leases.is_live(lease, now)


def zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
