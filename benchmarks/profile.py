"""Where the time of a sweep goes, stage by stage, over HTTP and verified HTTPS.

``--functions N`` adds the N functions in which the interpreter spent the most, by cProfile.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import installation, machine, nginx
from benchmarks.addresses import add_sites
from benchmarks.report import REPEATS, announced, figure, step, table
from benchmarks.sweep import QUICK_SITES, SITES


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the program: no result")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="list the slowest N, too")
    options = parser.parse_args()
    quick = announced(quick=options.quick)
    if lack := nginx.missing():
        print(f"\nProfile: skipped, {lack}")
        return
    machine.stay_on(machine.cores().other)
    with (
        installation.folder() as folder,
        nginx.sites(folder, QUICK_SITES if quick else SITES, machine.cores().other) as sites,
    ):
        for protocol, urls in (("HTTP", sites.http), ("verified HTTPS", sites.https)):
            step(f"profile of {protocol}")
            show_stages(folder, protocol, urls, sites.ca_file, options.functions)


def show_stages(folder: Path, protocol: str, urls: Sequence[str], ca_file: Path, functions: int) -> None:
    core, runs = machine.cores().measured, []
    with installation.on_sqlite(folder) as found:
        add_sites(found, urls)
        found.settings["SSL_CERT_FILE"] = str(ca_file)
        found.manage("probe", core=core)
        for _ in range(REPEATS):
            said = found.python("-m", "benchmarks.stages", core=core).said
            runs.append(json.loads(_last_json(said)))
        listed = ""
        if functions:
            words = ("-m", "benchmarks.stages", "--functions", str(functions))
            listed = _after_json(found.python(*words, core=core).said)
    head = ("stage", "wall", "CPU", "CPU of a site", "of all CPU")
    print(
        f"\n### Where a sweep of {len(urls):,} sites over {protocol} spends its time, medians of {REPEATS}\n"
    )
    print(f"{machine.description()}\n\n{table(head, _rows([run['stages'] for run in runs], len(urls)))}")
    if missing := runs[0]["missing"]:
        print(f"\nNot found, and counted with what is around them: {', '.join(missing)}.")
    if listed:
        print(f"\n```\n{listed}\n```", flush=True)


def _last_json(said: str) -> str:
    return next(line for line in reversed(said.splitlines()) if line.startswith("{"))


def _after_json(said: str) -> str:
    return said.partition(_last_json(said))[2].strip()


def _rows(runs: Sequence[dict[str, Sequence[float]]], sites: int) -> list[tuple[str, ...]]:
    """In the order of what takes the most CPU, and their sum."""
    medians = {
        stage: (median(run[stage][0] for run in runs), median(run[stage][1] for run in runs))
        for stage in runs[0]
    }
    wall_s, cpu_s = (sum(values) for values in zip(*medians.values(), strict=True))
    ordered = sorted(medians.items(), key=lambda item: item[1][1], reverse=True)
    return [
        (
            stage,
            figure(wall * 1000, "ms"),
            figure(cpu * 1000, "ms"),
            figure(cpu * 1000 / sites, "ms"),
            f"{100 * cpu / cpu_s:.0f} %",
        )
        for stage, (wall, cpu) in [*ordered, ("all", (wall_s, cpu_s))]
    ]


if __name__ == "__main__":
    main()
