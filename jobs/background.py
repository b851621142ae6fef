"""The thread beside a running job: renews its lease and stores its progress, on a connection of its own.

The work itself never waits for the database because of either: a probe whose loop stood still for a locked
database would measure our lock, not the site.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection

from jobs import leases, recording
from jobs.models import JobRun

log = logging.getLogger(__name__)

STEP_S = 0.5  # so progress is stored at most twice a second
RETRY_S = 2.0  # after a renewal that failed
JOIN_S = 5.0  # for a thread that waits for a lock; it ends by itself when it gets it or gives up


class Background:
    """While entered, keeps the lease of ``run`` and stores what ``report`` was last given."""

    def __init__(
        self,
        run: JobRun,
        held: leases.Held,
        *,
        renewal: timedelta = leases.RENEWAL,
        step_s: float = STEP_S,
    ) -> None:
        self.run = run
        self.held = held
        self.renewal_s = renewal.total_seconds()
        self.step_s = step_s
        self._news: tuple[int, int, str] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"lease of {held.name}", daemon=True)

    def __enter__(self) -> Background:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)

    def report(self, done: int, total: int, message: str) -> None:
        """Remember the progress; touches neither database nor lock."""
        self.run.progress_done, self.run.progress_total = done, total
        self._news = (done, total, message)

    def _live(self) -> None:
        due = time.monotonic() + self.renewal_s
        try:
            while not self._stop.wait(self.step_s):
                if time.monotonic() >= due:
                    due = time.monotonic() + (self.renewal_s if self._renew() else RETRY_S)
                self._store_progress()
        finally:
            connection.close()

    def _renew(self) -> bool:
        """True where there is nothing to try again soon."""
        try:
            if not leases.renew(self.held):
                log.warning("%s: its lease was lost; it may write nothing more", self.held.name)
        except (DatabaseError, InterfaceError) as error:
            log.warning("%s: lease not renewed, trying again: %s", self.held.name, error)
            connection.close()
            return False
        return True

    def _store_progress(self) -> None:
        news, self._news = self._news, None
        if news is None:
            return
        try:
            recording.progress(self.run, *news)
        except (DatabaseError, InterfaceError) as error:
            log.debug("%s: progress not stored: %s", self.held.name, error)
            connection.close()
