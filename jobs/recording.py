"""Writes JobRun rows, each together with the lease that it runs under, and bounds their history."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs import leases
from jobs.errors import AlreadyRunning
from jobs.models import JobRun, Lease

PRUNE_PORTION = 500  # rows a run deletes at its end: a short transaction, yet more than a run adds
MESSAGE_LENGTH = 500


def start(name: str, arguments: dict[str, Any], trigger: str, now: datetime) -> tuple[JobRun, leases.Held]:
    """Lease and run in one transaction: there is never one without the other. Raises AlreadyRunning."""
    with transaction.atomic():
        held = leases.acquire(name, now)
        if held is not None:
            run = JobRun.objects.create(
                name=name,
                arguments=arguments,
                trigger=trigger[:20],
                started=now,
                host=socket.gethostname(),
                pid=os.getpid(),
                fence=held.fence,
            )
            Lease.objects.filter(name=name).update(latest_run=run)
            return run, held
    raise AlreadyRunning(who_runs(name))


def who_runs(name: str) -> str:
    """Which run holds the lease, since when and where: the refusal's sentence, without its full stop."""
    lease = Lease.objects.filter(name=name).first()
    if lease is None or lease.acquired is None:
        return f"{name} is already running"
    since = timezone.localtime(lease.acquired)
    which = f" run {lease.latest_run_id}" if lease.latest_run_id else ""
    return (
        f"{name} is already running:{which} since {since:%Y-%m-%d %H:%M:%S} "
        f"on {lease.host} (process {lease.pid})"
    )


def finish(run: JobRun, held: leases.Held, state: JobRun.State, message: str, now: datetime) -> None:
    """The run's end and the lease's release in one transaction.

    A run that was taken for dead, and came to its end all the same, is recorded as it ended.
    """
    run.state, run.message, run.finished = state, one_line(message), now
    with transaction.atomic():
        run.save(update_fields=["state", "message", "finished", "progress_done", "progress_total"])
        since = Coalesce("fault_since", Value(run.started)) if state == JobRun.State.FAULT else None
        # Our run may have been overtaken: then the lease, and what it points to, is another's.
        Lease.objects.filter(name=held.name, fence=held.fence).update(
            expires=None, latest_finished=run, fault_since=since
        )


def progress(run: JobRun, done: int, total: int, message: str) -> None:
    JobRun.objects.filter(pk=run.pk, state=JobRun.State.RUNNING).update(
        progress_done=done, progress_total=total, message=one_line(message)
    )


def prune(name: str, now: datetime) -> int:
    """Delete a portion of the job's runs that are older than JOB_RUNS_KEEP_DAYS; the latest always stays."""
    before = now - timedelta(days=settings.JOB_RUNS_KEEP_DAYS)
    kept = Lease.objects.filter(name=name).values_list("latest_run", "latest_finished").first() or ()
    old = JobRun.objects.filter(name=name, started__lt=before).exclude(state=JobRun.State.RUNNING)
    keys = old.exclude(pk__in=[key for key in kept if key]).order_by("started").values_list("pk", flat=True)
    deleted, _ = JobRun.objects.filter(pk__in=list(keys[:PRUNE_PORTION])).delete()
    return deleted


def one_line(text: str) -> str:
    return " ".join(text.split())[:MESSAGE_LENGTH]
