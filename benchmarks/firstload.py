"""The first load of home in Chromium, its cache empty: what comes over the line, and when it is usable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks import installation
from benchmarks.history import FEW, HOME, QUICK, Plan
from benchmarks.pages import Watched, on_sqlite
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step
from scripts import chromium

KB = 1000
# When a letter typed into the search box has been worked on and drawn, by the page's own clock.
WATCH_TYPING = """
addEventListener("input", () => requestAnimationFrame(() => setTimeout(() => {
    window.usableAfter ??= performance.now();
})));
"""
READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds since the address was entered, and bytes as they came, with their heads."""

    sent_kb: float
    ready_ms: float
    usable_ms: float


def main() -> None:
    quick = quick_wanted(__doc__)
    if chromium.find() is None:
        raise SystemExit(f"bench: {chromium.HOW_TO_GET}")
    lines: list[Line] = []
    for plan in (QUICK,) if quick else (FEW, HOME):
        step(f"opening home with {plan.sites:,} sites")
        lines += lines_of(plan, loads(plan))
    notes = ("The web process has a core of its own; the browser takes what it finds of both.",)
    show("First load of home in Chromium, nothing in its cache", lines, notes=notes)


def lines_of(plan: Plan, found: list[Load]) -> list[Line]:
    sites = f"{plan.sites:,} sites"
    return [
        Line(f"{sites}: transferred", [load.sent_kb for load in found], "kB", Goal(300)),
        Line(f"{sites}: document ready", [load.ready_ms for load in found], "ms"),
        Line(
            f"{sites}: a letter typed into the search is worked on",
            [load.usable_ms for load in found],
            "ms",
            Goal(1000),
        ),
    ]


def loads(plan: Plan) -> list[Load]:
    """One to warm the server up, then as many as count; each in a browser profile of its own."""
    with installation.folder() as folder, on_sqlite(folder, plan) as watched:
        watched.installation.settings |= {
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "TEST_VAR_DIR": str(folder),
        }
        watched.installation.manage("collectstatic", "--no-input", "-v0")
        watched.run()
        with watched.open() as (web, _), chromium.launched() as browser:
            return [load(browser, watched, web.port) for _ in range(1 + REPEATS)][1:]


def load(browser: Browser, watched: Watched, port: int) -> Load:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    address = f"http://127.0.0.1:{port}/"
    for name, value in watched.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": address}])
    context.add_init_script(WATCH_TYPING)
    page = context.new_page()
    sent = _counted(context, page)
    page.goto(address, wait_until="domcontentloaded")
    page.locator("#board-q").press("x")
    usable_ms = float(page.wait_for_function("() => window.usableAfter").json_value())
    page.wait_for_load_state("load")
    found = Load(sum(sent) / KB, float(page.evaluate(READY)), usable_ms)
    context.close()
    return found


def _counted(context: BrowserContext, page: Page) -> list[float]:
    """Grows by the bytes of each answer that has come to its end; a stream of events has none."""
    sent: list[float] = []
    session = context.new_cdp_session(page)

    def add(event: dict[str, Any]) -> None:
        sent.append(float(event["encodedDataLength"]))

    session.on("Network.loadingFinished", add)
    session.send("Network.enable")
    return sent


if __name__ == "__main__":
    main()
