"""How long the pages take that people keep open, with a long history behind them.

Real uvicorn on one core, a browser that has logged in on the other. A time is a whole answer as that browser
sees it, from the first byte asked to the last one read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import history, installation, machine
from benchmarks.answering import Peer, answering
from benchmarks.history import FEW, HOME, MANY, QUICK, SITES_DOWN, Plan
from benchmarks.installation import Installation
from benchmarks.prepared import prepared
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step, table
from benchmarks.web import Browser, Web, add_user, serving

WARM_REPEATS = 3 * REPEATS
GROUP, SITE, DEEP_PAGE = "group-1", "site-7", 100


@dataclass(frozen=True, slots=True)
class Watched:
    """An installation with a history whose sites answer, and the session of its user."""

    installation: Installation
    cookies: dict[str, str]

    @contextmanager
    def open(self) -> Iterator[tuple[Web, Browser]]:
        """A new web process and a browser that is logged in."""
        with serving(self.installation, machine.cores().measured) as web:
            browser = Browser(web.port, self.cookies)
            yield web, browser
            browser.close()

    def run(self) -> None:
        """A real run of all sites."""
        self.installation.manage("probe")


def main() -> None:
    quick = quick_wanted(__doc__)
    machine.stay_on(machine.cores().other)
    plan, many = (QUICK, QUICK) if quick else (HOME, MANY)
    with installation.folder() as folder:
        with on_sqlite(folder, plan) as watched:
            measure(watched, plan)
        compare_queries(folder, (FEW, plan))
        with on_sqlite(folder, many) as watched:
            show(f"Home with {many.sites:,} sites on SQLite", home_lines(watched, None))
        if server := installation.postgresql_server():
            with on_postgresql(folder, server, plan) as watched:
                measure(watched, plan)
        else:
            print(f"\nOn PostgreSQL: skipped, {installation.SERVER_VARIABLE} is not set.")


@contextmanager
def on_sqlite(folder: Path, plan: Plan) -> Iterator[Watched]:
    file = prepared(plan)
    with (
        answering(folder, machine.cores().other) as peer,
        installation.on_sqlite(folder, copy_of=file) as found,
    ):
        yield _watched(found, peer)


@contextmanager
def on_postgresql(folder: Path, server: str, plan: Plan) -> Iterator[Watched]:
    with (
        answering(folder, machine.cores().other) as peer,
        installation.on_postgresql(folder, server) as found,
    ):
        step(f"filling a PostgreSQL database with {plan.views:,} views")
        history.fill_installation(found, plan)
        yield _watched(found, peer)


def _watched(found: Installation, peer: Peer) -> Watched:
    """Its history brought up to now by real jobs; the sites that are down keep an address that refuses."""
    found.execute(
        f"UPDATE monitor_site SET url = replace(url, ':9/', ':{peer.port}/delay/0/' || id) "
        f"WHERE id > {SITES_DOWN}"
    )
    add_user(found)
    found.manage("collectstatic", "--noinput", "-v0")
    found.manage("roll_up")
    watched = Watched(found, {})
    watched.run()
    with watched.open() as (_, browser):
        browser.log_in()
        watched.cookies.update(browser.cookies)
    return watched


def measure(watched: Watched, plan: Plan) -> None:
    """Home in its three states, and the other pages warm."""
    lines = home_lines(watched, Goal(150))
    with watched.open() as (_, browser):
        lines += [
            warm(browser, "site page, 90 days", f"/site/{SITE}/?range=90d", Goal(100)),
            warm(browser, "its chart's JSON, 90 days", f"/site/{SITE}/times.json?range=90d"),
            warm(browser, "JSON of the largest group", f"/group/{GROUP}/data.json", Goal(30)),
            warm(browser, f"outages, page {DEEP_PAGE}", f"/outages/?page={DEEP_PAGE}", Goal(50)),
        ]
        home, group = browser.get("/"), browser.get(f"/group/{GROUP}/data.json")
    facts = f"{plan.sites:,} sites, {plan.views:,} views, {plan.days} days of roll-ups"
    sizes = (
        f"Home is {home.size / 1000:,.0f} kB on the wire ({len(plain(home.body)) / 1000:,.0f} kB of HTML); "
        f"the group has {len(json.loads(plain(group.body))['sites'])} sites, "
        f"there are {plan.outages:,} outages."
    )
    show(f"Pages on {watched.installation.store}: {facts}", lines, notes=[sizes])


def home_lines(watched: Watched, goal: Goal | None) -> list[Line]:
    """Warm, as the first answer of a process, and as the first after a run was recorded."""
    step("home")
    cold, after_run = [], []
    for _ in range(REPEATS):
        with watched.open() as (_, browser):
            cold.append(_ms(browser, "/"))
    with watched.open() as (_, browser):
        for _ in range(REPEATS):
            browser.get("/")
            watched.run()
            after_run.append(_ms(browser, "/"))
        return [
            warm(browser, "home", "/", goal),
            Line("home, right after a recorded run", after_run, "ms", goal),
            Line("home, first answer of a process", cold, "ms", goal),
        ]


def warm(browser: Browser, name: str, path: str, goal: Goal | None = None) -> Line:
    _ms(browser, path)
    return Line(name, [_ms(browser, path) for _ in range(WARM_REPEATS)], "ms", goal)


def compare_queries(folder: Path, plans: tuple[Plan, Plan]) -> None:
    """The numbers of queries must not depend on how many sites there are."""
    paths = ("/", f"/site/{SITE}/?range=90d", f"/group/{GROUP}/data.json", "/outages/")
    found = []
    for plan in plans:
        with on_sqlite(folder, plan) as watched:
            cost = watched.installation.python("-m", "benchmarks.queries", *paths)
            found.append(json.loads(cost.said.splitlines()[-1]))
    head = ("queries, first answer / next", *(f"{plan.sites:,} sites" for plan in plans), "")
    rows = [
        (
            path,
            *(f"{first} / {after}" for first, after in counts),
            "ok" if counts[0] == counts[1] else "missed",
        )
        for path, *counts in zip(paths, *found, strict=True)
    ]
    print(f"\n### Queries of a page, goal: the same however many sites\n\n{table(head, rows)}", flush=True)


def _ms(browser: Browser, path: str) -> float:
    answer = browser.get(path)
    if answer.status != 200:
        raise SystemExit(f"bench: {path} was answered with {answer.status}")
    return answer.ms


def plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


if __name__ == "__main__":
    main()
