"""Operating system processes: which one is it, does it still live, and how a child ends with its parent.

Reads /proc, so it knows only Linux; elsewhere it says "cannot tell" and its callers go by time alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
STARTED = 22 - 3  # field 22 of /proc/<pid>/stat, counted from field 3: the first after the name
ENDED = {"Z", "X", "x"}  # a zombie has ended; its parent has only not asked for the status yet


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine; the empty ``machine`` means that nobody can tell later.

    ``machine`` is the boot's id and the namespace in which ``pid`` counts; ``started`` is in clock ticks
    since the boot, so that a pid which was given out again is not taken for the old process.
    """

    machine: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.machine} {self.pid} {self.started}"


def from_text(text: str) -> Process | None:
    """What ``str(process)`` wrote, or None."""
    parts = text.rsplit(" ", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return Process(parts[0], int(parts[1]), int(parts[2]))


def this_process(proc: Path = PROC) -> Process:
    pid = os.getpid()
    _, started = _state_and_start(pid, proc) or ("", 0)
    return Process(this_machine(proc) if started else "", pid, started)


def this_machine(proc: Path = PROC) -> str:
    """Id of this boot and of our pid namespace; empty where there is no /proc."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(proc / 'self/ns/pid')}"
    except OSError:
        return ""


def is_alive(process: Process, proc: Path = PROC) -> bool | None:
    """None where that cannot be known: another machine or container, or no /proc."""
    if not process.machine or process.machine != this_machine(proc):
        return None
    found = _state_and_start(process.pid, proc)
    return found is not None and found[0] not in ENDED and found[1] == process.started


def _state_and_start(pid: int, proc: Path) -> tuple[str, int] | None:
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses itself: count from the last one.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[STARTED])


def dies_with_parent(how: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """For Popen's ``preexec_fn``: the kernel sends ``how`` to the child when the thread that made it ends.

    None outside Linux. Load the library here, before the fork: the child must not import anything.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return arm
