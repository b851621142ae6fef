"""Leases: who may run a job now. A lock that cannot stick, and that an old holder cannot use.

A lease is held until ``expires``, unless renewed or released. Each acquire raises the row's fence by one;
whoever writes under a lease asks :func:`hold` first, in the same transaction, so that of two who believe in
the same lease only the later can write. An expired lease is lost for good, also where nobody has taken it
yet: what a machine measured before it was suspended is not to be recorded when it wakes.

Expiry is wall time, so clocks that differ by more than ``LEASE - RENEWAL`` between machines break mutual
exclusion, though never the fence. A clock that jumps forward expires every lease: its holder's next ``hold``
raises LeaseLost and the next run goes on. One that jumps back leaves the lease of a dead holder on another
machine valid for longer; a dead holder on this machine is recognised by its process at once, whatever the
clock says.

Every claim is one conditional UPDATE whose row count decides.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from djamon.lib import processes
from jobs.errors import LeaseLost
from jobs.models import JobRun, Lease

LEASE = timedelta(seconds=60)
RENEWAL = timedelta(seconds=15)  # three may fail before the lease is lost


@dataclass(frozen=True, slots=True)
class Held:
    """The proof of one acquire: ``fence`` is the number nobody else got or will get for ``name``."""

    name: str
    fence: int


def acquire(name: str, now: datetime | None = None) -> Held | None:
    """The lease, or None where somebody holds it. Takes over from a holder that is dead or overdue."""
    now = now or timezone.now()
    lease, _ = Lease.objects.get_or_create(name=name)
    if lease.expires is not None and not _revoke_if_dead(lease, now):
        return None
    claimed = Lease.objects.filter(name=name, fence=lease.fence, expires=None).update(
        fence=F("fence") + 1,
        holder=str(processes.this_process()),
        host=socket.gethostname(),
        pid=processes.this_process().pid,
        acquired=now,
        renewed=now,
        expires=now + LEASE,
    )
    return Held(name, lease.fence + 1) if claimed else None


def renew(held: Held, now: datetime | None = None) -> bool:
    """Hold it for another minute; False where it is ours no more."""
    now = now or timezone.now()
    ours = Lease.objects.filter(name=held.name, fence=held.fence, expires__gt=now)
    return bool(ours.update(renewed=now, expires=now + LEASE))


def hold(held: Held, now: datetime | None = None) -> None:
    """First statement of a transaction that writes under the lease; raises LeaseLost.

    It writes the row, so whoever wants to take the lease over waits until that transaction has ended.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("hold() guards a transaction, and there is none")
    if not renew(held, now):
        raise LeaseLost(f"the lease of {held.name} was lost (fence {held.fence}); nothing more was written")


def release(held: Held) -> None:
    Lease.objects.filter(name=held.name, fence=held.fence).update(expires=None)


def reap(now: datetime | None = None) -> int:
    """Free every lease whose holder is dead or overdue and mark their runs as died; gives their number.

    Cheap where all is well: two queries that read a handful of rows.
    """
    now = now or timezone.now()
    freed = sum([_revoke_if_dead(lease, now) for lease in Lease.objects.exclude(expires=None)])
    # A run starts and ends in one transaction with its lease, so one without a lease has died.
    leased = Lease.objects.exclude(expires=None).exclude(latest_run=None)
    orphans = JobRun.objects.filter(state=JobRun.State.RUNNING).exclude(pk__in=leased.values("latest_run"))
    return freed + sum([_mark_died(run, now) for run in orphans])


def is_live(lease: Lease, now: datetime) -> bool:
    """Does its holder still hold it, as far as can be seen from here?"""
    return lease.expires is not None and lease.expires > now and not _has_died(lease)


def _has_died(lease: Lease) -> bool:
    """True only for a holder on this machine that is known to have ended."""
    holder = processes.from_text(lease.holder)
    return holder is not None and processes.is_alive(holder) is False


def _revoke_if_dead(lease: Lease, now: datetime) -> bool:
    """Free the lease and mark its run; False where the holder lives or somebody else was quicker."""
    if is_live(lease, now):
        return False
    what = "died" if _has_died(lease) else f"gave no sign for {LEASE.seconds} seconds"
    with transaction.atomic():
        same = Lease.objects.filter(name=lease.name, fence=lease.fence, expires=lease.expires)
        if not same.update(expires=None):
            return False
        for run in JobRun.objects.filter(name=lease.name, state=JobRun.State.RUNNING, fence__lte=lease.fence):
            _mark_died(run, now, what)
    return True


def _mark_died(run: JobRun, now: datetime, what: str = "died") -> bool:
    """One UPDATE decides, so that a run is marked by one alone and never after it has ended."""
    marked = JobRun.objects.filter(pk=run.pk, state=JobRun.State.RUNNING).update(
        state=JobRun.State.DIED, finished=now, message=f"process {run.pid} on {run.host} {what}"
    )
    if marked:
        Lease.objects.filter(name=run.name, latest_run=run).update(latest_finished=run)
    return bool(marked)
