"""One process that is kept running: its start, what it says, its end, and when to start it again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from djamon.lib.processes import dies_with_parent

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # before a restart; the last one is repeated
STEADY_S = 60.0  # who lived that long begins again with the first pause
LONGEST_LINE = 65_536  # bytes without a line end that count as a line


@dataclass(frozen=True, slots=True)
class Service:
    """What is to be kept running; ``argv`` as for Popen."""

    name: str
    argv: tuple[str, ...]


@dataclass
class Child:
    """A service and its present process, if it has one."""

    service: Service
    pauses_s: tuple[float, ...] = PAUSES_S
    process: subprocess.Popen[bytes] | None = None
    restart_at: float = 0.0
    is_silent: bool = False  # it has closed what it said things through
    _started: float = 0.0
    _deaths: int = 0
    _rest: bytes = field(default=b"", repr=False)
    _pipe: IO[bytes] | None = None

    def start(self) -> str:
        """Empty, or why it could not be started."""
        self._started = time.monotonic()
        try:
            self.process = subprocess.Popen(  # noqa: S603  (argv is our table's)
                self.service.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Ctrl-C at the terminal must reach the supervisor alone: it ends its children in order.
                start_new_session=True,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  (the supervisor has one thread)
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        except OSError as error:
            return self._plan_restart(f"could not be started: {error}")
        self._pipe = self.process.stdout
        if self._pipe:
            os.set_blocking(self._pipe.fileno(), False)
        return ""

    def fileno(self) -> int:
        """Descriptor of what the process says, for a selector; -1 where there is none."""
        return -1 if self._pipe is None else self._pipe.fileno()

    def lines(self) -> Iterator[str]:
        """What the process has said since; never waits."""
        while self._pipe and (data := self._read(self._pipe)):
            *whole, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) >= LONGEST_LINE:
                whole, self._rest = [*whole, self._rest], b""
            yield from (line.decode(errors="replace") for line in whole)

    def _read(self, pipe: IO[bytes]) -> bytes:
        try:
            data = os.read(pipe.fileno(), LONGEST_LINE)
        except BlockingIOError:
            return b""
        self.is_silent = not data
        return data

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def bury(self) -> str:
        """Forget the process that has ended and plan the next; says what happened and when it goes on."""
        status = self.process.wait() if self.process else 0
        if self._pipe:
            self._pipe.close()
        self.process, self._pipe, self._rest, self.is_silent = None, None, b"", False
        if time.monotonic() - self._started >= STEADY_S:
            self._deaths = 0
        if status < 0:
            return self._plan_restart(f"was ended by {signal.Signals(-status).name}")
        return self._plan_restart(f"ended with exit status {status}")

    def _plan_restart(self, what: str) -> str:
        pause_s = self.pauses_s[min(self._deaths, len(self.pauses_s) - 1)]
        self._deaths += 1
        self.restart_at = time.monotonic() + pause_s
        return f"{self.service.name} {what}; starting it again in {pause_s:g} s"

    @property
    def last_words(self) -> str:
        """What it said without a line end."""
        return self._rest.decode(errors="replace")

    def kill(self) -> None:
        """Its whole session: also what it started and did not end."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def terminate(self) -> None:
        if self.process:
            self.process.terminate()
