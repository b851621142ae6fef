"""Starts manage.py commands as processes: the scheduler's jobs, and "run now" of the jobs page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from signal import Signals
from typing import IO

from django.conf import settings

from djamon.lib.processes import dies_with_parent
from jobs.periodic import PeriodicJob
from jobs.runner import TRIGGER_VARIABLE

LAST_BYTES = 2000  # of a job's output: enough to find its last line


def manage(*words: str) -> list[str]:
    """The argv of a manage.py command of this checkout."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def job_command(job: PeriodicJob) -> list[str]:
    return manage(*job.command)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's process ended; ``last_line`` is the last thing it said."""

    status: int
    last_line: str

    def __str__(self) -> str:
        how = f"ended by {Signals(-self.status).name}" if self.status < 0 else f"exit status {self.status}"
        return f"{how}: {self.last_line}" if self.last_line else how


class JobProcess:
    """A job as our child, in a process group of its own: Ctrl-C at a terminal reaches only us."""

    def __init__(self, argv: list[str], trigger: str) -> None:
        """Raises OSError where the process cannot be started."""
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it has ended)
        try:
            self.process = subprocess.Popen(  # noqa: S603  (argv is the table's)
                argv,
                cwd=settings.BASE_DIR,
                env={**os.environ, TRIGGER_VARIABLE: trigger},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  (the scheduler has one thread)
            )
        except OSError:
            self._output.close()
            raise

    def ending(self) -> Ending | None:
        """None while it runs; to be asked no more once it has answered."""
        status = self.process.poll()
        if status is None:
            return None
        with self._output as output:
            output.seek(max(0, output.seek(0, os.SEEK_END) - LAST_BYTES))
            lines = output.read().decode(errors="replace").split("\n")
        return Ending(status, next((line.strip() for line in reversed(lines) if line.strip()), ""))


def start_detached(job: PeriodicJob) -> None:
    """Start the job for the jobs page: it goes on when the web process ends. Raises OSError."""
    process = subprocess.Popen(  # noqa: S603  (argv is the table's)
        job_command(job),
        cwd=settings.BASE_DIR,
        env={**os.environ, TRIGGER_VARIABLE: "page"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Somebody has to ask for its exit status, or it stays in the process table as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
