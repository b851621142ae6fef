"""Two hundred browsers with home open: how soon all of them see a site fall, and what their quiet costs."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass, field

from benchmarks import installation, machine
from benchmarks.answering import SWITCH_FILE
from benchmarks.history import HOME, QUICK
from benchmarks.installation import ROOT
from benchmarks.listeners import Heard, Listener, connect
from benchmarks.pages import Watched, on_sqlite, plain
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step
from benchmarks.web import Web

CLIENTS, QUICK_CLIENTS = 200, 20
QUIET_S, QUICK_QUIET_S = 30.0, 4.0
SETTLED_S = 2.0  # no byte for so long: all is sent
LONGEST_S = 30.0
POLL_S = 0.005


@dataclass(slots=True)
class Found:
    """``lasts_s``: from a run's commit until the last browser had the change; ``firsts_s``: the first."""

    lasts_s: list[float] = field(default_factory=list)
    firsts_s: list[float] = field(default_factory=list)
    quiet_share: float = 0.0
    kib_a_client: float = 0.0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """Home, who opens it, and the site that falls and rises."""

    watched: Watched
    web: Web
    path: str
    cookies: str
    site: int
    clients: int
    quiet_s: float

    async def join(self, count: int) -> list[Listener]:
        found = await connect(self.web.port, self.path, self.cookies, count)
        await asyncio.sleep(SETTLED_S)
        await settled(found)
        return found

    def state(self) -> str:
        [(state,)] = self.watched.installation.rows(f"SELECT state FROM monitor_site WHERE id = {self.site}")
        return str(state)


def main() -> None:
    quick = quick_wanted(__doc__)
    machine.stay_on(machine.cores().other)
    plan, clients = (QUICK, QUICK_CLIENTS) if quick else (HOME, CLIENTS)
    with installation.folder() as folder, on_sqlite(folder, plan) as watched:
        watched.installation.settings["STRIKES"] = "1"
        watched.installation.execute(
            f"UPDATE monitor_site SET url = replace(url, '/delay/0/', '/switch/') WHERE id = {plan.sites}"
        )
        with watched.open() as (web, browser):
            tag = re.search(rb'data-tag="(\w+)"', plain(browser.get("/").body))
            if tag is None:
                raise SystemExit("bench: home names no tag: it is not live")
            path = f"/events/sites?tag={tag[1].decode()}"
            quiet_s = QUICK_QUIET_S if quick else QUIET_S
            scene = Scene(watched, web, path, browser.cookie_header, plan.sites, clients, quiet_s)
            found = asyncio.run(measure(scene))
    lines = [
        Line(f"the last of {clients} browsers has a change", found.lasts_s, "s", Goal(3.0)),
        Line("the first of them", found.firsts_s, "s"),
        Line(
            f"the server's CPU in {quiet_s:.0f} s without a change",
            [100 * found.quiet_share],
            "% of a core",
            Goal(20),
        ),
        Line("the server's memory for each browser", [found.kib_a_client], "KiB"),
    ]
    notes = [
        "A change is a site that falls or rises in a real run of all sites; the time counts from its commit. "
        "A run changes every row (its last result): a browser gets up to "
        f"{found.largest / 1000:,.0f} kB, packed."
    ]
    show(f"Home live, {plan.sites:,} sites", lines, notes=notes)


async def measure(scene: Scene) -> Found:
    found = Found()
    listeners = await scene.join(1)  # whoever comes first makes the server draw
    alone_mib = machine.rss_mib(scene.web.pid)
    listeners += await scene.join(scene.clients - 1)
    step(f"{scene.clients} browsers watch, {scene.quiet_s:.0f} s without a change")
    await quiet(scene, found)
    found.kib_a_client = (machine.rss_mib(scene.web.pid) - alone_mib) * 1024 / (scene.clients - 1)
    read(listeners)
    for number in range(REPEATS):
        state = "down" if number % 2 == 0 else "up"
        step(f"round {number + 1} of {REPEATS}: the site goes {state}")
        await change(scene, listeners, state, found)
    for listener in listeners:
        listener.close()
    return found


async def quiet(scene: Scene, found: Found) -> None:
    before, begin = machine.cpu_s(scene.web.pid), time.monotonic()
    await asyncio.sleep(scene.quiet_s)
    found.quiet_share = (machine.cpu_s(scene.web.pid) - before) / (time.monotonic() - begin)


async def change(scene: Scene, listeners: list[Listener], state: str, found: Found) -> None:
    """Have the site change in a real run; then read when each browser had it."""
    switch = scene.watched.installation.folder / SWITCH_FILE
    switch.touch() if state == "down" else switch.unlink()
    for listener in listeners:
        listener.size = 0
    committed = await run_until(scene, state)
    had = await arrivals(listeners, f"site-{scene.site}", f'data-state="{state}"')
    found.largest = max(found.largest, *(listener.size for listener in listeners))
    found.lasts_s.append(max(had) - committed)
    found.firsts_s.append(min(had) - committed)


async def arrivals(listeners: list[Listener], row: str, words: str) -> list[float]:
    """When each browser was told of those words in that row; all is read once it is quiet."""
    had: dict[int, float] = {}
    deadline = time.monotonic() + LONGEST_S
    while len(had) < len(listeners):
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {len(listeners) - len(had)} browsers never had the change")
        await asyncio.sleep(SETTLED_S)
        await settled(listeners)
        for number, messages in enumerate(read(listeners)):
            for heard in messages:
                if words in heard.data["pieces"].get(row, ""):
                    had.setdefault(number, heard.at)
    return list(had.values())


async def run_until(scene: Scene, state: str) -> float:
    """Run the command; the moment at which its result could first be read."""
    argv = [sys.executable, str(ROOT / "manage.py"), "probe"]
    environment = scene.watched.installation.environment()
    process = await asyncio.create_subprocess_exec(*argv, env=environment, stdout=asyncio.subprocess.DEVNULL)
    deadline = time.monotonic() + LONGEST_S
    while scene.state() != state:
        if time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"bench: the site did not go {state}")
        await asyncio.sleep(POLL_S)
    committed = time.monotonic()
    await process.wait()
    return committed


async def settled(listeners: list[Listener]) -> None:
    """Wait until nothing more comes."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        if time.monotonic() - max(listener.latest for listener in listeners) > SETTLED_S:
            return
        await asyncio.sleep(0.1)


def read(listeners: list[Listener]) -> list[list[Heard]]:
    return [listener.read() for listener in listeners]


if __name__ == "__main__":
    main()
