"""The built-in scheduler: starts the table's jobs by their calendar, each as a process of its own.

Decides nothing about time (jobs.due does), runs no job inside itself, and outlives a database that is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from djamon.lib.commands import database_fault
from djamon.lib.patience import patience
from djamon.lib.signals import Signals
from jobs import due, duty, leases
from jobs.launch import JobProcess, job_command
from jobs.periodic import PeriodicJob

log = logging.getLogger(__name__)

DATABASE_WAIT_S = 5.0  # a locked database must not make the calendar late by more
REAPING = timedelta(seconds=30)  # with a lease of 60 s, a dead run is marked within 2 minutes
STAND_BY_S = 5.0  # how often a scheduler that stands by looks whether it is needed
GRACE_S = 3.0  # for running jobs at our end, before SIGTERM; as long again before SIGKILL
AWAY = (DatabaseError, InterfaceError)


class Scheduler:
    """Calls of ``step`` with the current time do everything; between them it holds what runs."""

    def __init__(
        self,
        table: tuple[PeriodicJob, ...],
        zone: ZoneInfo,
        build: Callable[[PeriodicJob], list[str]] = job_command,
    ) -> None:
        self.table = table
        self.zone = zone
        self.build = build
        self.running: dict[str, JobProcess] = {}
        self.duty = duty.Duty()
        self._previous: datetime | None = None
        self._known_duty: leases.Held | None = None
        self._reaped: datetime | None = None
        self._database_away = False

    def step(self, now: datetime) -> None:
        """Collect what ended, keep the lease, start what is due."""
        self._collect()
        on_duty = self._keep_house(now)
        if on_duty and self._previous is not None:
            self._start_due(self._previous, now)

    def seconds_to_next(self, now: datetime) -> float:
        """How long nothing is to be done, unless a job ends."""
        if self.duty.held is None:
            return STAND_BY_S
        pause_s = leases.RENEWAL.total_seconds()
        upcoming = due.next_due(now, self.table, self.zone)
        return min(pause_s, (upcoming - now).total_seconds()) if upcoming else pause_s

    def _keep_house(self, now: datetime) -> bool:
        """Lease and dead runs; True while we are on duty."""
        try:
            with patience(DATABASE_WAIT_S):
                on_duty = self.duty.keep(now)
                if on_duty and self._known_duty != self.duty.held:
                    self._take_up(now)
                if on_duty and self._is_reaping_due(now):
                    self._reaped = now
                    leases.reap(now)
        except AWAY as error:
            self._tell_away(error)
            return self.duty.still(now)
        self._tell_back()
        return on_duty

    def _take_up(self, now: datetime) -> None:
        """Go on where we, or the scheduler before us, had come to."""
        known = [instant for instant in (self._previous, duty.started_until()) if instant]
        self._previous = max(known, default=now)
        self._known_duty = self.duty.held

    def _is_reaping_due(self, now: datetime) -> bool:
        return self._reaped is None or not self._reaped <= now < self._reaped + REAPING

    def _start_due(self, previous: datetime, now: datetime) -> None:
        tick = due.tick(previous, now, self.table, self.zone)
        self._previous = tick.until
        for job in tick.due:
            self._start(job)
        if tick.due:
            self._store(tick.until)

    def _start(self, job: PeriodicJob) -> None:
        if job.name in self.running:
            log.info("%s still runs; not started again", job.name)
            return
        try:
            self.running[job.name] = JobProcess(self.build(job), "scheduler")
        except OSError as error:
            log.error("%s could not be started: %s", job.name, error)  # noqa: TRY400  (one line)

    def _store(self, until: datetime) -> None:
        """For the scheduler after us; stored after the start, so that a crash repeats rather than loses."""
        try:
            with patience(DATABASE_WAIT_S):
                duty.store_started_until(until)
        except AWAY as error:
            self._tell_away(error)

    def _collect(self) -> None:
        for name, process in list(self.running.items()):
            ending = process.ending()
            if ending is None:
                continue
            del self.running[name]
            if ending.status:
                log.warning("%s failed, %s", name, ending)
                self._reaped = None  # it may have died without a word
            else:
                log.debug("%s: %s", name, ending.last_line)

    def _tell_away(self, error: Exception) -> None:
        if not self._database_away:
            log.warning("%s; going on, and trying again", database_fault(error))
        self._database_away = True

    def _tell_back(self) -> None:
        if self._database_away:
            log.info("the database answers again")
        self._database_away = False

    def end(self, signals: Signals) -> None:
        """Give running jobs a moment, then end them; give the lease back."""
        for send in (None, "terminate", "kill"):
            for process in self.running.values():
                if send:
                    getattr(process.process, send)()
            self._wait_for_jobs(signals)
        try:
            with patience(DATABASE_WAIT_S):
                self.duty.end()
        except AWAY as error:
            self._tell_away(error)

    def _wait_for_jobs(self, signals: Signals) -> None:
        until = time.monotonic() + GRACE_S
        self._collect()
        while self.running and (rest_s := until - time.monotonic()) > 0:
            signals.wait(rest_s)
            self._collect()


def run_forever(scheduler: Scheduler, signals: Signals) -> None:
    """Until SIGTERM or SIGINT; ``signals`` is entered."""
    log.info("%d jobs by the clock of %s", len(scheduler.table), scheduler.zone)
    while not signals.stopping:
        scheduler.step(timezone.now())
        signals.wait(scheduler.seconds_to_next(timezone.now()))
    scheduler.end(signals)
    log.info("ended")
