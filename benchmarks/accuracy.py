"""How near the stored times are to what the server itself took, which it writes down for each request."""

from __future__ import annotations

from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks import installation, machine
from benchmarks.addresses import add_sites, address
from benchmarks.answering import answering
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step

SITES, QUICK_SITES = 1000, 100
DELAYS_MS = (0, 10, 100)
NEAR_MS = 2.0
LATEST = (
    "SELECT site.url, view.total_ms FROM monitor_siteview view JOIN monitor_site site ON site.id = site_id"
)


def main() -> None:
    quick = quick_wanted(__doc__)
    machine.stay_on(machine.cores().other)
    count = QUICK_SITES if quick else SITES
    lines, notes = [], []
    with installation.folder() as folder:
        for delay_ms in DELAYS_MS:
            rounds = []
            for number in range(REPEATS):
                step(f"{delay_ms} ms: round {number + 1} of {REPEATS}")
                rounds.append(differences_ms(folder, count, delay_ms))
            shares = [
                100 * sum(abs(off) <= NEAR_MS for off in differences) / len(differences)
                for differences in rounds
            ]
            name = f"server's delay {delay_ms} ms: views within {NEAR_MS:g} ms of it"
            lines.append(Line(name, shares, "%", Goal(95, at_least=True)))
            notes.append(_told(delay_ms, [off for differences in rounds for off in differences]))
    notes.append("The server's own delay is from the last byte of the request to the first of its answer.")
    show(f"Stored times of {count:,} sites", lines, notes=notes)


def differences_ms(folder: Path, count: int, delay_ms: int) -> list[float]:
    """Ask ``count`` sites once: what we stored less what the server took, of each."""
    with (
        answering(folder, machine.cores().other) as peer,
        installation.on_sqlite(folder) as found,
    ):
        places = [f"{address(number)}:{peer.port}" for number in range(count)]
        add_sites(found, [f"http://{place}/delay/{delay_ms}/{place}" for place in places])
        found.manage("probe", core=machine.cores().measured)
        stored = found.rows(LATEST)
        took = peer.times()
    return [total_ms - took[urlsplit(url).path] for url, total_ms in stored]


def _told(delay_ms: int, differences: list[float]) -> str:
    cuts = quantiles(differences, n=100)
    return (
        f"{delay_ms} ms: stored less the server's own: median {cuts[49]:.2f} ms, 95 of 100 at most "
        f"{cuts[94]:.2f}, 99 of 100 at most {cuts[98]:.2f}, never more than {max(differences):.2f}."
    )


if __name__ == "__main__":
    main()
