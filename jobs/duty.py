"""Which of several schedulers works: the one that holds the lease ``scheduler``; the others stand by."""

from __future__ import annotations

import logging
from datetime import datetime

from jobs import leases
from jobs.models import Checkpoint, Lease

log = logging.getLogger("jobs.scheduler")

NAME = "scheduler"
KEY = "started until"


class Duty:
    """Keeps the lease and says so in one line whenever that changes."""

    def __init__(self) -> None:
        self.held: leases.Held | None = None
        self.renewed: datetime | None = None
        self._standing_by = False

    def keep(self, now: datetime) -> bool:
        """Take or renew the lease; True while it is ours. Database errors go to the caller."""
        if self.held and not self._is_due(now):
            return True
        if self.held and not leases.renew(self.held, now):
            log.warning("the lease of the scheduler was lost: the clock jumped or the database was away")
            self.held = None
        if self.held is None:
            self.held = leases.acquire(NAME, now)
            self._tell()
        if self.held:
            self.renewed = now
        return self.held is not None

    def still(self, now: datetime) -> bool:
        """Is it ours without asking the database? Until it expires."""
        return self.held is not None and self.renewed is not None and now < self.renewed + leases.LEASE

    def end(self) -> None:
        if self.held:
            leases.release(self.held)
            self.held = None

    def _is_due(self, now: datetime) -> bool:
        return self.renewed is None or not self.renewed <= now < self.renewed + leases.RENEWAL

    def _tell(self) -> None:
        if self.held:
            log.info("%s", "takes over" if self._standing_by else "on duty")
        elif not self._standing_by:
            other = Lease.objects.filter(name=NAME).first()
            where = f" (process {other.pid} on {other.host})" if other else ""
            log.info("another scheduler is on duty%s; standing by", where)
        self._standing_by = self.held is None


def started_until() -> datetime | None:
    """The instant up to which the last scheduler on duty had started every job, if one ever was."""
    stored = Checkpoint.objects.filter(job=NAME, key=KEY).values_list("value", flat=True).first()
    return datetime.fromisoformat(stored) if isinstance(stored, str) else None


def store_started_until(instant: datetime) -> None:
    Checkpoint.objects.update_or_create(job=NAME, key=KEY, defaults={"value": instant.isoformat()})
