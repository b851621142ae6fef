"""The uptime of all sites, kept in this process: home shows it for each, and it changes slowly.

Adding it up takes a tenth of a second for 1,000 sites. So figures are good for a minute; while they are
older, a thread in the background adds up new ones, and readers go on with the old.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread

from django.db import connections

from monitor.models import Site
from monitor.uptime import Figures, Stored, stored, with_views

FRESH = timedelta(minutes=1)
OLDEST = timedelta(minutes=5)  # nobody is shown older ones: he who comes then waits for new ones

Compute = Callable[[datetime], Mapping[int, Figures]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """The figures of each site by its key, as of ``at``."""

    at: datetime
    figures: Mapping[int, Figures]

    def is_within(self, age: timedelta, now: datetime) -> bool:
        return abs(now - self.at) <= age  # a clock may be set back


class Uptimes:
    """Keeps what ``compute`` gives; one computation at a time.

    ``begin`` makes the computation, and makes it anew when all shall be forgotten.
    """

    def __init__(self, begin: Callable[[], Compute]) -> None:
        self._begin = begin
        self._compute = begin()
        self._computing = Lock()
        self._known: Known | None = None
        self._failed = False

    def read(self, now: datetime) -> Known:
        """The figures, at most five minutes old; new ones are begun where they are older than a minute."""
        known = self._known
        if known and known.is_within(OLDEST, now):
            if not known.is_within(FRESH, now):
                self._refresh_behind(now)
            return known
        with self._computing:
            known = self._known
            if not (known and known.is_within(FRESH, now)):
                known = self._known = Known(now, self._compute(now))
            return known

    def clear(self) -> None:
        """Forget the figures, after any computation that is under way."""
        with self._computing:
            self._known = None
            self._compute = self._begin()

    def _refresh_behind(self, now: datetime) -> None:
        if self._computing.acquire(blocking=False):
            Thread(target=self._refresh, args=(now,), name="uptimes", daemon=True).start()

    def _refresh(self, now: datetime) -> None:
        """In a thread of its own, under the lock that its starter took."""
        try:
            self._known = Known(now, self._compute(now))
            self._failed = False
        except Exception:
            # The old figures stay until somebody has to wait for new ones, and then meets the error.
            if not self._failed:
                logger.exception("Uptime could not be added up.")
            self._failed = True
        finally:
            connections.close_all()
            self._computing.release()


class _OfAll:
    """Adds up all sites: the roll-ups once an hour, the views since then each time."""

    def __init__(self) -> None:
        self._stored: Stored | None = None

    def __call__(self, now: datetime) -> Mapping[int, Figures]:
        sites = list(Site.objects.only("pk", "enabled", "interval_min").order_by())
        self._stored = stored(sites, now, self._stored)
        return with_views(self._stored, sites, now)


kept = Uptimes(_OfAll)
