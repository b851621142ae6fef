"""A sweep in which some sites never answer and some refuse: it ends soon after the limit of one request."""

from __future__ import annotations

import socket

from benchmarks import installation, machine
from benchmarks.addresses import add_sites, address
from benchmarks.answering import answering
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step

SITES, QUICK_SITES = 2000, 200
TIMEOUT_S, QUICK_TIMEOUT_S = 5.0, 1.0
SLACK_S = 0.6
SILENT, REFUSING = 20, 100  # one of so many: 5 and 1 %


def main() -> None:
    quick = quick_wanted(__doc__)
    machine.stay_on(machine.cores().other)
    count, timeout_s = (QUICK_SITES, QUICK_TIMEOUT_S) if quick else (SITES, TIMEOUT_S)
    with (
        installation.folder() as folder,
        answering(folder, machine.cores().other) as peer,
        installation.on_sqlite(folder) as found,
        socket.socket() as closed,
    ):
        closed.bind(("127.0.0.1", 0))  # taken, and nobody listens: it refuses
        add_sites(found, [url(number, peer.port, closed.getsockname()[1]) for number in range(count)])
        # The sandbox is asked, as it is for real: before, and once more because sites have failed.
        sandbox = f"http://127.0.0.1:{peer.port}/delay/0/sandbox"
        found.settings |= {"SANDBOX_URLS": sandbox, "PROBE_TIMEOUT": str(timeout_s)}
        whole, sweep = [], []
        for number in range(REPEATS):
            step(f"round {number + 1} of {REPEATS}")
            whole.append(found.manage("probe", core=machine.cores().measured).wall_s)
            sweep.append(found.last_sweep_s())
        reasons = found.rows("SELECT last_reason, COUNT(*) FROM monitor_site GROUP BY 1 ORDER BY 2 DESC")
    lines = [
        Line("the sweep", sweep, "s", Goal(timeout_s + SLACK_S)),
        Line("the whole command, with the interpreter's start", whole, "s"),
    ]
    told = ", ".join(f"{number:,} × {reason}" for reason, number in reasons)
    title = f"{count:,} sites, 5 % silent and 1 % refusing, limit {timeout_s:g} s"
    show(title, lines, notes=[f"Last answers: {told}."])


def url(number: int, open_port: int, closed_port: int) -> str:
    if number % REFUSING == 1:
        return f"http://127.0.0.1:{closed_port}/{number}"
    what = "never" if number % SILENT == 0 else "delay/0"
    return f"http://{address(number)}:{open_port}/{what}/{number}"


if __name__ == "__main__":
    main()
