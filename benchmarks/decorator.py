"""``python -m benchmarks.decorator [--quick]``: what ``@kodemon`` adds to a call.

Each case is a program of its own on one core; whoever listens is on the other. The program times a function
that does nothing, bare and decorated; the difference counts. Where a server reads, waking it is part of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.installation import ROOT
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step

CALLS = 100_000
QUICK_CALLS = 2_000
MOST_US = Goal(20.0)
Loop = Callable[[int], None]
FIELDS: dict[str, Any] = {
    "part": "billing",
    "version": 3,
    "ratio": 0.25,
    "tags": ["a", "b"],
    "place": {"room": 7},
}
NO_NAME = "nowhere.invalid"
READER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
server.bind(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    server.recv(65_535)
"""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    listening: str = "read"  # or "unread", "closed"
    host: str = "127.0.0.1"
    kind: str = "function"  # or "coroutine"
    threads: int = 1
    fields: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("a server reads"),
    Case("a server reads, five fields more", fields=FIELDS),
    Case("a server reads, coroutine", kind="coroutine"),
    Case("a server reads, 4 threads", threads=4),
    Case("a server that does not read", listening="unread"),
    Case("nobody listens", listening="closed"),
    Case("nobody listens, five fields more", listening="closed", fields=FIELDS),
    Case("nobody listens, 4 threads", listening="closed", threads=4),
    Case("localhost, nobody listens", listening="closed", host="localhost"),
    Case("the host's name is not found", listening="closed", host=NO_NAME),
)


def main() -> None:
    calls = QUICK_CALLS if quick_wanted(__doc__) else CALLS
    lines: list[Line] = []
    cpu_us: list[float] = []
    for case in CASES:
        step(case.name)
        rounds = run(case, calls)
        if not lines:
            bare = Line("a bare function, all that it takes", [one.bare_us for one in rounds], "µs")
            lines.append(bare)
        lines.append(Line(case.name, [one.added_us for one in rounds], "µs", MOST_US))
        cpu_us.append(median(one.added_cpu_us for one in rounds))
    show(
        "What the decorator adds to a call",
        lines,
        notes=[
            f"{REPEATS} times {calls:,} calls each; threads: time of all by number of all calls.",
            "Of that the program's own CPU, which other work on the machine changes less, case by case: "
            f"{', '.join(f'{value:.1f}' for value in cpu_us)} µs.",
        ],
    )


@dataclass(frozen=True, slots=True)
class Round:
    """Microseconds a call: of a bare function, and what the decorator adds to that."""

    bare_us: float
    added_us: float
    added_cpu_us: float


def run(case: Case, calls: int) -> list[Round]:
    """Each repeat of a case, in a process that has just begun."""
    program = f"from benchmarks.decorator import told; told({case.kind!r}, {case.threads}, {calls})"
    with listening(case.listening) as port:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents" / "kodemon" / "src")]),
            "KODEMON_HOST": case.host,
            "KODEMON_PORT": str(port),
            "FIELDS": json.dumps(case.fields),
        }
        argv = machine.on_core(machine.cores().measured, sys.executable, "-c", program)
        done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [
        Round(bare[0], decorated[0] - bare[0], decorated[1] - bare[1])
        for bare, decorated in json.loads(done.stdout)
    ]


@contextmanager
def listening(how: str) -> Iterator[int]:
    """A port on loopback, and who is there."""
    if how == "read":
        argv = machine.on_core(machine.cores().other, sys.executable, "-c", READER)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            try:
                yield int(reader.stdout.readline())
            finally:
                reader.kill()
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        if how == "unread":
            yield port
    if how == "closed":
        yield port


def told(kind: str, threads: int, calls: int) -> None:
    """The program that is measured: prints its figures as JSON."""
    from kodemon import kodemon  # noqa: PLC0415 - only here it is on the path

    loops = {"function": functions, "coroutine": coroutines}[kind]
    bare, decorated = loops(kodemon(**json.loads(os.environ["FIELDS"])))
    each = calls // threads
    for loop in (bare, decorated):  # the first call reads the environment and makes the socket
        loop(1_000)
    pairs = [(in_threads(bare, threads, each), in_threads(decorated, threads, each)) for _ in range(REPEATS)]
    print(json.dumps(pairs))


def functions(decorate: Callable[[Any], Any]) -> tuple[Loop, Loop]:
    def nothing() -> None:
        pass

    def loop_of(function: Callable[[], None]) -> Loop:
        def loop(calls: int) -> None:
            for _ in range(calls):
                function()

        return loop

    return loop_of(nothing), loop_of(decorate(nothing))


def coroutines(decorate: Callable[[Any], Any]) -> tuple[Loop, Loop]:
    async def nothing() -> None:
        pass

    def loop_of(function: Callable[[], Any]) -> Loop:
        async def program(calls: int) -> None:
            for _ in range(calls):
                await function()

        return lambda calls: asyncio.run(program(calls))

    return loop_of(nothing), loop_of(decorate(nothing))


def in_threads(loop: Loop, threads: int, each: int) -> tuple[float, float]:
    """Microseconds a call, all threads together: by the clock, and of CPU."""
    others = [threading.Thread(target=loop, args=(each,)) for _ in range(threads - 1)]
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for one in others:
        one.start()
    loop(each)
    for one in others:
        one.join()
    took_s = time.perf_counter() - begin, time.process_time() - cpu_begin
    clock_us, cpu_us = (seconds / (threads * each) * 1e6 for seconds in took_s)
    return clock_us, cpu_us


if __name__ == "__main__":
    main()
