"""The machine that a result must name, its two cores, and what one process used of them."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cores:
    """``measured`` has the program that is measured alone; on ``other`` are its clients and servers."""

    measured: int
    other: int


def cores() -> Cores:
    """The first and the last core that we may use: the same one where there is no second."""
    allowed = sorted(_allowed_at_start)
    return Cores(allowed[0], allowed[-1])


def stay_on(core: int) -> None:
    """Pin this process, and with it the children that are not pinned elsewhere."""
    os.sched_setaffinity(0, {core})


def on_core(core: int, *argv: str) -> list[str]:
    """The argv that runs another on one core; taskset becomes the program, so that its pid is the same."""
    return ["taskset", "-c", str(core), *argv]


def description() -> str:
    """One line for the head of a result."""
    library = " ".join(ssl.OPENSSL_VERSION.split()[:2])
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_cpu_model()}, {len(_allowed_at_start)} cores, "
        f"{memory_gib:.0f} GiB; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {library}"
    )


def cpu_s(*pids: int) -> float:
    """User and system seconds that these processes have used with all of their threads."""
    return sum(sum(_stat(pid)[10:12]) for pid in pids) / TICKS_S


def rss_mib(pid: int) -> float:
    """What the process holds in memory now."""
    return _status_kib(pid, "VmRSS") / 1024


def peak_mib(pid: int) -> float:
    """The most that the process ever held in memory."""
    return _status_kib(pid, "VmHWM") / 1024


def children_of(pid: int) -> list[int]:
    """The processes that ``pid`` itself has started."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [other for other in found if parent_of(other) == pid]


def parent_of(pid: int) -> int:
    """The process that started ``pid``; 0 where it has ended meanwhile."""
    try:
        return _stat(pid)[0]
    except (OSError, IndexError):
        return 0


def _stat(pid: int) -> list[int]:
    """The fields of /proc/PID/stat from the parent's pid on; the name before them may hold anything."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return [int(field) for field in fields[1:]]


def _status_kib(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if sys.platform != "linux":
    raise SystemExit("bench: it reads /proc and pins processes to cores: Linux is needed")
_allowed_at_start = os.sched_getaffinity(0)
