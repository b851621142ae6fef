"""How many messages a second a receiver of timings stores without loss, beside InfluxDB 1.6 and carbon.

The receiver is alone on one core, the one sender on the other; all sockets have the same room. A rate is
found by short trials, in steps of 5 %, and then has to last for a minute, five times, in turns. Each trial
begins with an empty store and counts what is in it at the end.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from benchmarks import installation, machine, timings_peers
from benchmarks.installation import ROOT
from benchmarks.report import REPEATS, Goal, Line, announced, parser, show, step
from benchmarks.timings_peers import Receiver
from benchmarks.timings_sender import KEYS, Sent

STEP = 1.05
FIRST_RATE = 10_000
STRIDES = (16, 4, 1)  # steps of the search: far, then near
TRIAL_S, QUICK_TRIAL_S = 6.0, 1.0
RUN_S, QUICK_RUN_S = 60.0, 2.0
QUICK_REPEATS = 1
SOON_S = 4.0  # what is stored later than that after the last message was more than it could take
LOST_S = 5.0  # nothing more is stored for so long: the rest is lost
POLL_S = 0.05
MOST_TRIES = 16
MOST_MIB = 150
RATE_GOALS = {
    "Djamon, SQLite": Goal(150_000, at_least=True),
    "Djamon, PostgreSQL": Goal(100_000, at_least=True),
}
RATIO_GOALS = {"InfluxDB 1.6": 1.2, "carbon": 2.0}


@dataclass(frozen=True, slots=True)
class Trial:
    """``rate``: messages a second that were sent, ``asked``: that should have been; ``lost``: not stored in
    the end; ``late_s``: how long after the last was sent all were.
    """

    asked: float
    rate: float
    sent: int
    lost: int
    late_s: float
    cpu_us: float
    peak_mib: float
    sender: float
    drops: int
    room: int

    @property
    def is_good(self) -> bool:
        return not self.lost and self.late_s < SOON_S and self.rate > self.asked / STEP


@dataclass(slots=True)
class Contender:
    """Somebody who receives; ``open`` starts it with an empty store in that folder."""

    name: str
    protocol: str
    open: Callable[[Path], AbstractContextManager[Receiver]]
    rate: float = FIRST_RATE
    runs: list[Trial] = field(default_factory=list)
    tries: int = 0

    def trial(self, rate: float, seconds: float) -> Trial:
        with tempfile.TemporaryDirectory(prefix="djamon-bench-") as name, self.open(Path(name)) as receiver:
            found = attempt(receiver, self.protocol, rate, seconds)
        step(
            f"{self.name}: {found.rate:,.0f} a second for {seconds:.0f} s: {found.lost:,} lost "
            f"({found.drops:,} at the socket), stored {found.late_s:.1f} s after the last, "
            f"{found.cpu_us:.2f} µs each"
        )
        return found

    def search(self, seconds: float) -> None:
        """The highest rate, in steps of 5 %, that a short trial stood; one that fails is made once more."""
        for stride in STRIDES:
            while any(self.trial(self.rate * STEP**stride, seconds).is_good for _ in range(2)):
                self.rate *= STEP**stride

    def run(self, seconds: float) -> None:
        """The highest rate, from the last one down, that a long run stood.

        Where it stood the first, the next run begins a step higher: a machine may have had a bad minute.
        """
        for tried in range(MOST_TRIES):
            self.tries += 1
            found = self.trial(self.rate, seconds)
            if found.is_good:
                self.runs.append(found)
                self.rate *= 1 if tried else STEP
                return
            self.rate /= STEP ** steps_down(found)
        raise SystemExit(f"bench: {self.name} loses messages at every rate that was tried")


def steps_down(found: Trial) -> int:
    """To what was stored of what was sent, or one: a run that lost much would lose at the next rate, too."""
    share = (found.sent - found.lost) / found.sent
    return max(1, int(-math.log(max(share, 0.1)) / math.log(STEP)))


def attempt(receiver: Receiver, protocol: str, rate: float, seconds: float) -> Trial:
    room, before = receiver.room(), receiver.cpu_s()
    sent = send(protocol, receiver.port, rate, seconds)
    begin = time.monotonic()
    done, moved = receiver.done(), begin
    while done < sent.messages and time.monotonic() - moved < LOST_S:
        time.sleep(POLL_S)
        before_that, done = done, receiver.done()
        moved = time.monotonic() if done != before_that else moved
    late_s = time.monotonic() - begin
    cpu_s = receiver.cpu_s() - before
    stored = receiver.stored()
    return Trial(
        asked=rate,
        rate=sent.messages / sent.seconds,
        sent=sent.messages,
        lost=sent.messages - stored,
        late_s=late_s,
        cpu_us=cpu_s / max(1, stored) * 1e6,
        peak_mib=receiver.peak_mib(),
        sender=sent.core,
        drops=receiver.drops(),
        room=room,
    )


def send(protocol: str, port: int, rate: float, seconds: float) -> Sent:
    words = (sys.executable, "-m", "benchmarks.timings_sender", protocol, str(port), str(rate), str(seconds))
    argv = machine.on_core(machine.cores().other, *words)
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Sent(**json.loads(done.stdout))


def main() -> None:
    options = parser(__doc__)
    options.add_argument(
        "--rates", type=float, nargs="+", default=[], help="begin with these, in the order of the table"
    )
    words = options.parse_args()
    quick = announced(quick=words.quick)
    machine.stay_on(machine.cores().other)
    with ExitStack() as stack:
        room = stack.enter_context(timings_peers.equal_room())
        folder = stack.enter_context(installation.folder())
        found = contenders(folder, room)
        if len(words.rates) not in (0, len(found)) or min(words.rates, default=1) <= 0:
            options.error(f"--rates: one above 0 for each of {', '.join(each.name for each in found)}")
        for contender, rate in zip_longest(found, words.rates):
            if rate:
                contender.rate = rate
            else:
                contender.search(QUICK_TRIAL_S if quick else TRIAL_S)
        for number in range(QUICK_REPEATS if quick else REPEATS):
            step(f"round {number + 1}")
            for contender in found if number % 2 == 0 else reversed(found):
                contender.run(QUICK_RUN_S if quick else RUN_S)
    show(
        f"Messages stored without loss, {QUICK_RUN_S if quick else RUN_S:.0f} s, one sender, {KEYS} keys",
        [line for contender in found for line in lines_of(contender)] + ratios(found),
        notes=notes(found),
    )


def contenders(folder: Path, room: int) -> list[Contender]:
    """Ours and those peers that are installed; a line for each that is not."""
    found = [Contender("Djamon, SQLite", "kodemon", lambda _own: sqlite(folder, room))]
    if server := installation.postgresql_server():
        found.append(
            Contender("Djamon, PostgreSQL", "kodemon", lambda _own: postgresql(folder, server, room))
        )
    if lack := timings_peers.missing("influxd", "influxdb"):
        print(f"\nBeside InfluxDB: skipped, {lack}")
    else:
        found.append(Contender("InfluxDB 1.6", "influxdb", lambda own: timings_peers.influxdb(own, room)))
    if lack := timings_peers.missing("carbon-cache", "graphite-carbon"):
        print(f"\nBeside carbon: skipped, {lack}")
    else:
        found.append(Contender("carbon", "carbon", timings_peers.carbon))
    return found


@contextmanager
def sqlite(folder: Path, room: int) -> Iterator[Receiver]:
    with installation.on_sqlite(folder) as found, timings_peers.kodemon(found, room) as receiver:
        yield receiver


@contextmanager
def postgresql(folder: Path, server: str, room: int) -> Iterator[Receiver]:
    with installation.on_postgresql(folder, server) as found, timings_peers.kodemon(found, room) as receiver:
        yield receiver


def lines_of(contender: Contender) -> list[Line]:
    goal = RATE_GOALS.get(contender.name)
    ours = goal is not None
    return [
        Line(f"{contender.name}: a second", [run.rate for run in contender.runs], "", goal),
        Line(f"{contender.name}: CPU of a message", [run.cpu_us for run in contender.runs], "µs"),
        Line(
            f"{contender.name}: peak memory",
            [run.peak_mib for run in contender.runs],
            "MiB",
            Goal(MOST_MIB) if ours else None,
        ),
    ]


def ratios(found: Sequence[Contender]) -> list[Line]:
    """Round by round, ours on SQLite beside each peer."""
    ours, *others = found
    return [
        Line(
            f"{ours.name} beside {other.name}",
            [mine.rate / theirs.rate for mine, theirs in zip(ours.runs, other.runs, strict=True)],
            "times",
            Goal(RATIO_GOALS[other.name], at_least=True),
        )
        for other in others
        if other.name in RATIO_GOALS
    ]


def notes(found: Sequence[Contender]) -> list[str]:
    rooms = ", ".join(f"{each.name} {each.runs[0].room:,} bytes" for each in found)
    senders = ", ".join(f"{each.name} {100 * max(run.sender for run in each.runs):.0f} %" for each in found)
    tries = ", ".join(f"{each.name} {each.tries}" for each in found)
    late = ", ".join(f"{each.name} {max(run.late_s for run in each.runs):.1f} s" for each in found)
    said = [
        f"Room at the socket, as the kernel counts it: {rooms}.",
        f"Of its own core the sender used at most: {senders}.",
        f"Long runs that were needed for the {len(found[0].runs)} good ones: {tries}; a rate that lost a "
        f"message was followed by a lower one. After the last message all was stored within: {late}.",
        "CPU and memory are the receiver's; PostgreSQL's processes share its core, and their CPU is in it.",
    ]
    if any(each.name == "carbon" for each in found):
        said.append(
            "carbon keeps one value a key and second: of what it received here, "
            f"{KEYS} values a second. Djamon and InfluxDB keep every message."
        )
    return said


if __name__ == "__main__":
    main()
