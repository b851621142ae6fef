"""``manage.py probe`` with ten sites, from start to end: what cron pays every minute.

``--imports`` adds the modules that take the longest to load.
"""

from __future__ import annotations

from argparse import ArgumentParser

from benchmarks import installation, machine
from benchmarks.addresses import add_sites, address
from benchmarks.answering import answering
from benchmarks.installation import ROOT, Installation
from benchmarks.report import REPEATS, Goal, Line, announced, show, table

SITES = 10
IMPORTS_SHOWN = 15


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--imports", action="store_true", help="list what takes longest to load")
    options = parser.parse_args()
    announced(quick=options.quick)
    machine.stay_on(machine.cores().other)
    with (
        installation.folder() as folder,
        answering(folder, machine.cores().other) as peer,
        installation.on_sqlite(folder) as found,
    ):
        add_sites(found, [f"http://{address(n)}:{peer.port}/delay/0/{n}" for n in range(SITES)])
        found.manage("probe", core=machine.cores().measured)  # afterwards all files are in memory
        costs = [found.manage("probe", core=machine.cores().measured) for _ in range(REPEATS)]
        sweep_s = found.last_sweep_s()
        lines = [
            Line("start to end", [cost.wall_s for cost in costs], "s", Goal(1.0)),
            Line("its CPU", [cost.cpu_s for cost in costs], "s"),
            Line("its peak memory", [cost.peak_mib for cost in costs], "MiB"),
        ]
        note = f"Of that the sweep itself took {1000 * sweep_s:.0f} ms; the rest is starting and loading."
        show(f"manage.py probe with {SITES} sites", lines, notes=[note])
        if options.imports:
            show_imports(found)


def show_imports(found: Installation) -> None:
    """By the milliseconds of the module itself, and with all that it was the first to load."""
    said = found.python("-X", "importtime", str(ROOT / "manage.py"), "probe").said
    rows = [line.removeprefix("import time:").split("|") for line in said.splitlines() if "|" in line]
    loads = [(int(own), int(whole), name.strip()) for own, whole, name in rows if own.strip().isdigit()]
    slowest = sorted(loads, key=lambda load: load[1], reverse=True)[:IMPORTS_SHOWN]
    cells = [(name, f"{own / 1000:.1f} ms", f"{whole / 1000:.1f} ms") for own, whole, name in slowest]
    print(f"\n{table(('module', 'itself', 'with what it loads'), cells)}", flush=True)


if __name__ == "__main__":
    main()
