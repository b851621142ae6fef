"""Runs one job: takes its lease, records the run, calls the work, stores how it ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from djamon.lib.commands import DjamonError, database_fault
from jobs import leases, recording
from jobs.background import Background
from jobs.errors import LocalFault
from jobs.models import JobRun

log = logging.getLogger(__name__)

TRIGGER_VARIABLE = "DJAMON_TRIGGER"  # set by the scheduler, the jobs page and the crontab lines
FINISH_PAUSES_S = (0.5, 1.0, 2.0)  # between tries to store the end; SQLite itself waits in each


class JobContext:
    """What the work is given: its run, and how it reports and writes."""

    def __init__(self, run: JobRun, held: leases.Held, background: Background) -> None:
        self.run = run
        self._held = held
        self._background = background

    def progress(self, done: int, total: int, message: str = "") -> None:
        """For people who watch; another thread stores it, at most twice a second. Never fails or waits."""
        self._background.report(done, total, message)

    def hold(self) -> None:
        """First statement inside a ``transaction.atomic()`` that writes; raises LeaseLost."""
        leases.hold(self._held)


Work = Callable[[JobContext], str]


def run_job(
    name: str, work: Work, *, arguments: dict[str, Any] | None = None, trigger: str | None = None
) -> JobRun:
    """Run ``work`` under the lease ``name``; the sentence it returns becomes the run's message.

    Raises AlreadyRunning where an equal job runs, OperationalError where the database is gone, and whatever
    the work raises: after LocalFault the run's state is ``fault``, after anything else ``failed``.
    """
    leases.reap()
    trigger = trigger or os.environ.get(TRIGGER_VARIABLE) or "command"
    run, held = recording.start(name, arguments or {}, trigger, timezone.now())
    try:
        with _ends_on_sigterm(), Background(run, held) as background:
            message = work(JobContext(run, held, background))
    except BaseException as error:
        _finish_quietly(run, held, _state_after(error), _sentence(error))
        raise
    _finish(run, held, JobRun.State.DONE, message)
    return run


def _state_after(error: BaseException) -> JobRun.State:
    return JobRun.State.FAULT if isinstance(error, LocalFault) else JobRun.State.FAILED


def _sentence(error: BaseException) -> str:
    match error:
        case DjamonError():
            return str(error)
        case DatabaseError() | InterfaceError():
            return database_fault(error)
        case KeyboardInterrupt() | SystemExit():
            return f"interrupted ({str(error) or type(error).__name__})"
        case _:
            return f"{type(error).__name__}: {error}"


def _finish_quietly(run: JobRun, held: leases.Held, state: JobRun.State, message: str) -> None:
    """Another error is on its way out and must not be replaced by ours."""
    try:
        _finish(run, held, state, message)
    except (DatabaseError, InterfaceError) as error:
        log.warning("%s: its end could not be stored: %s", run.name, error)


def _finish(run: JobRun, held: leases.Held, state: JobRun.State, message: str) -> None:
    """Store the end, also after a database that was locked for a while; the last failure is raised."""
    for pause_s in (*FINISH_PAUSES_S, None):
        try:
            recording.finish(run, held, state, message, timezone.now())
            break
        except (DatabaseError, InterfaceError):
            if pause_s is None:
                raise
            connection.close_if_unusable_or_obsolete()
            time.sleep(pause_s)
    _prune(run)


def _prune(run: JobRun) -> None:
    try:
        recording.prune(run.name, timezone.now())
    except (DatabaseError, InterfaceError) as error:  # the next run tries again
        log.warning("%s: old runs not deleted: %s", run.name, error)


@contextlib.contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the work as an exception, so that the run's end is stored."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit("SIGTERM")

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
