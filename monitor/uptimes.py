"""The uptime of all sites, kept in this process: home shows it for each, and it changes slowly.

Adding it up takes a tenth of a second for 1,000 sites. So figures are good for a minute; while they are
older, a thread in the background adds up new ones, and readers go on with the old. But no site is shown with
figures from before it failed or rose: those few are added up at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock, Thread

from django.db import connections
from django.db.models import Q

from monitor.models import Site
from monitor.uptime import MOST_NAMED, Figures, Stored, of_sites, stored, with_views
from monitor.verdicts import Verdict

FRESH = timedelta(minutes=1)
OLDEST = timedelta(minutes=5)  # nobody is shown older ones: he who comes then waits for new ones

Compute = Callable[[datetime], Mapping[int, Figures]]
Moved = Callable[[datetime], Mapping[int, datetime]]
ComputeSome = Callable[[Collection[int], datetime], Mapping[int, Figures]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """The figures of each site by its key, as of ``at``, or of an answer since then that is in ``newer``."""

    at: datetime
    figures: Mapping[int, Figures]
    newer: Mapping[int, datetime] = field(default_factory=dict)

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

    def read_with(self, moved: Moved, compute: ComputeSome, now: datetime) -> Known:
        """The same, but new for the sites that ``moved`` names, with the answer that made theirs wrong."""
        known = self.read(now)
        answers = moved(known.at)
        wrong = [key for key, at in answers.items() if known.newer.get(key) != at]
        if not wrong:
            return known
        if len(wrong) > MOST_NAMED:
            with self._computing:
                self._known = Known(now, self._compute(now))
                return self._known
        newer = {**known.newer, **{key: answers[key] for key in wrong}}
        fresh = replace(known, figures={**known.figures, **compute(wrong, now)}, newer=newer)
        if self._known is known:  # or there are new ones of all
            self._known = fresh
        return fresh

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


def current(now: datetime) -> Known:
    """The figures of all sites, none of which its own last answer contradicts. One query, as a rule."""
    return kept.read_with(_moved, _of, now)


def _moved(since: datetime) -> Mapping[int, datetime]:
    """The sites that failed or rose since then, each with its last answer."""
    failed = Q(last_verdict=Verdict.DOWN)
    sites = Site.objects.filter(failed | Q(state_since__gt=since), last_checked__gt=since).order_by()
    return dict(sites.values_list("pk", "last_checked"))  # type: ignore[arg-type]  # asked since then: not null


def _of(keys: Collection[int], now: datetime) -> Mapping[int, Figures]:
    return of_sites(list(Site.objects.filter(pk__in=keys).order_by()), now)
