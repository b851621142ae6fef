"""A whole sweep of thousands of sites, beside prometheus-blackbox-exporter, which only probes.

nginx is the sites, on one core; ``manage.py probe`` and the exporter take turns on the other. Sites a second
are those of the sweep (due, probe, record, judge), as the job's own record has it; CPU and memory are of the
whole command, with the interpreter's start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pycurl

from benchmarks import blackbox, installation, machine, nginx
from benchmarks.addresses import add_sites
from benchmarks.installation import Installation
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step

SITES, QUICK_SITES = 10_000, 600
# In flight; the exporter is measured with the one that it is fastest with.
CONCURRENCIES = (16, 64, 256)
TRIAL_SITES = 1000
WITHIN_A_TENTH = 0.9


@dataclass(frozen=True, slots=True)
class Turn:
    """One sweep. ``server`` and ``client``: what nginx and the asking client had of the other core."""

    sweep_s: float
    wall_s: float
    cpu_s: float
    peak_mib: float
    own_core: float
    server: float
    client: float = 0.0


@dataclass(slots=True)
class Contender:
    """Somebody who sweeps, and the turns that were measured."""

    name: str
    take_turn: Callable[[], Turn]
    turns: list[Turn] = field(default_factory=list)


def main() -> None:
    quick = quick_wanted(__doc__)
    if lack := nginx.missing():
        print(f"\nSweep: skipped, {lack}")
        return
    machine.stay_on(machine.cores().other)
    count = QUICK_SITES if quick else SITES
    with (
        installation.folder() as folder,
        nginx.sites(folder, count, machine.cores().other) as sites,
    ):
        compare(folder, "HTTP", sites.http, sites, Goals(ratio=2.0, cpu_ms=0.3))
        compare(folder, "verified HTTPS", sites.https, sites, Goals(ratio=1.0, cpu_ms=1.25))


@dataclass(frozen=True, slots=True)
class Goals:
    """``ratio``: sites a second beside the exporter's. ``cpu_ms``: of a site."""

    ratio: float
    cpu_ms: float
    peak_mib: float = 200.0


def compare(folder: Path, protocol: str, urls: Sequence[str], sites: nginx.Sites, goals: Goals) -> None:
    with ExitStack() as stack:
        ours = _contender(stack.enter_context(installation.on_sqlite(folder)), urls, sites)
        contenders = [ours]
        if server := installation.postgresql_server():
            other = stack.enter_context(installation.on_postgresql(folder, server))
            contenders.append(_contender(other, urls, sites))
        first = [contender.take_turn() for contender in contenders]
        if blackbox.missing():
            print(f"\nBeside the exporter: skipped, {blackbox.missing()}")
        else:
            exporter = stack.enter_context(blackbox.exporter(folder, sites.ca_file, machine.cores().measured))
            contenders.append(_peer(exporter, urls, sites))
        _take_turns(contenders, protocol)
    lines = [line for contender in contenders for line in _lines(contender, len(urls), goals)]
    lines += _ratios(ours, contenders[1:], goals)
    show(f"Sweep of {len(urls):,} sites over {protocol}", lines, notes=_notes(contenders, first, len(urls)))


def _take_turns(contenders: Sequence[Contender], protocol: str) -> None:
    """Each in turn, every other round the other way round: what the machine does meanwhile hits all alike."""
    for number in range(REPEATS):
        step(f"{protocol}: round {number + 1} of {REPEATS}")
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            contender.turns.append(contender.take_turn())


def _contender(found: Installation, urls: Sequence[str], sites: nginx.Sites) -> Contender:
    add_sites(found, urls)
    found.settings["SSL_CERT_FILE"] = str(sites.ca_file)

    def take_turn() -> Turn:
        before = sites.cpu_s()
        cost = found.manage("probe", core=machine.cores().measured)
        served = sites.cpu_s() - before
        [(up,)] = found.rows("SELECT COUNT(*) FROM monitor_site WHERE state = 'up'")
        if up != len(urls):
            raise SystemExit(f"bench: {up} of {len(urls)} sites are up: {cost.said}")
        busy = cost.cpu_s / cost.wall_s
        return Turn(found.last_sweep_s(), cost.wall_s, cost.cpu_s, cost.peak_mib, busy, served / cost.wall_s)

    return Contender(f"Djamon, {found.store}", take_turn)


def _peer(exporter: blackbox.Exporter, urls: Sequence[str], sites: nginx.Sites) -> Contender:
    trials = {many: exporter.sweep(urls[:TRIAL_SITES], many).wall_s for many in CONCURRENCIES}
    best = min(trials, key=lambda many: trials[many])

    def take_turn() -> Turn:
        before = sites.cpu_s()
        swept = exporter.sweep(urls, best)
        wall_s, served = swept.wall_s, sites.cpu_s() - before
        shares = (swept.cpu_s / wall_s, served / wall_s, swept.driver_cpu_s / wall_s)
        return Turn(wall_s, wall_s, swept.cpu_s, swept.peak_mib, *shares)

    return Contender(f"blackbox_exporter, {best} at once", take_turn)


def _lines(contender: Contender, count: int, goals: Goals) -> list[Line]:
    turns, ours = contender.turns, contender.name.startswith("Djamon")
    lines = [
        Line(f"{contender.name}: sites a second", [count / turn.sweep_s for turn in turns], ""),
        Line(
            f"{contender.name}: CPU of a site",
            [turn.cpu_s / count * 1000 for turn in turns],
            "ms",
            Goal(goals.cpu_ms) if ours else None,
        ),
        Line(
            f"{contender.name}: peak memory",
            [turn.peak_mib for turn in turns],
            "MiB",
            Goal(goals.peak_mib) if ours else None,
        ),
    ]
    if ours:
        whole = [count / turn.wall_s for turn in turns]
        lines.insert(1, Line(f"{contender.name}: the same, whole command", whole, ""))
    return lines


def _ratios(ours: Contender, others: Sequence[Contender], goals: Goals) -> list[Line]:
    """Round by round, so that both sides of a ratio met the same machine."""
    lines = []
    for other in others:
        pairs = list(zip(ours.turns, other.turns, strict=True))
        if other.name.startswith("Djamon"):
            ratio = [mine.sweep_s / theirs.sweep_s for mine, theirs in pairs]
            lines.append(
                Line("PostgreSQL beside SQLite", ratio, "times", Goal(WITHIN_A_TENTH, at_least=True))
            )
            continue
        ratio = [theirs.sweep_s / mine.sweep_s for mine, theirs in pairs]
        lines.append(Line("Djamon beside the exporter", ratio, "times", Goal(goals.ratio, at_least=True)))
        whole = [theirs.wall_s / mine.wall_s for mine, theirs in pairs]
        lines.append(Line("the same, whole command", whole, "times"))
    return lines


def _notes(contenders: Sequence[Contender], first: Sequence[Turn], count: int) -> list[str]:
    shares = [
        f"{contender.name}: its own core {_share(contender, 'own_core')}, of the other core nginx "
        f"{_share(contender, 'server')}, the client that asks {_share(contender, 'client')}"
        for contender in contenders
    ]
    firsts = ", ".join(
        f"{contender.name} {count / turn.sweep_s:,.0f} a second, {turn.cpu_s / count * 1000:.2f} ms"
        for contender, turn in zip(contenders, first, strict=False)
    )
    libraries = " ".join(word for word in pycurl.version.split() if "libcurl" in word or "OpenSSL" in word)
    return [
        f"What limits: {'; '.join(shares)}.",
        f"The very first run of a new installation: {firsts}.",
        f"Djamon's TLS: {libraries}; certificates ECDSA P-256, {nginx.PER_CERTIFICATE} addresses in each.",
    ]


def _share(contender: Contender, name: str) -> str:
    values = [getattr(turn, name) for turn in contender.turns]
    return f"{100 * sum(values) / len(values):.0f} %"


if __name__ == "__main__":
    main()
