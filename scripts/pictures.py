#!/usr/bin/env python3
"""Takes the pictures of README and docs from a running instance: ``make pictures``.

The instance has a database of its own with the results of 90 days. Its sites are on this machine, each as
quick as its history says; a real run asks them last: one is down, one fails, the others answer.
"""

from __future__ import annotations

import base64
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from scripts import chromium
from tests.browser.serving import Served, fill, log_in, running, set_up
from tests.browser.sketches import PASSWORD, Sketch, show
from tests.e2e.conftest import Instance

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
TALL = ViewportSize(width=1280, height=1130)
LOW, HIGH = ViewportSize(width=1280, height=716), ViewportSize(width=1280, height=1400)
DOWN = "/site/site-1-2/"
FUNCTION = "/timings/basket.py-checkout?range=6h"
TOLD = "ops@example.org,boss@example.org"
# A PNG of a page is three times as large. Chromium itself writes WebP, so that no library is needed.
AS_WEBP = """async (png) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return canvas.toDataURL("image/webp", 0.88).split(",")[1];
}"""


def main() -> int:
    if chromium.find() is None:
        sys.stderr.write(f"pictures: {chromium.HOW_TO_GET}\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="djamon-pictures-") as folder, targets() as port:
        instance = Instance(Path(folder), f"sqlite:///{folder}/db.sqlite3", {"TO_EMAIL": TOLD})
        prepare(instance, port)
        with running(instance) as served, chromium.launched() as browser:
            take_all(browser, served)
    for picture in sorted(FOLDER.glob("*.webp")):
        sys.stdout.write(f"{picture.relative_to(FOLDER.parent.parent)} {picture.stat().st_size // 1000} kB\n")
    return 0


def prepare(instance: Instance, port: int) -> None:
    """Tables, files, the history of 90 days, and a real run of all sites."""
    set_up(instance, instance.folder)
    instance.must("migrate", "-v0")
    instance.must("collectstatic", "--no-input", "-v0")
    fill(instance, "show")
    with instance.connect() as connection:
        connection.execute(
            "UPDATE monitor_site SET url = replace(url, 'https://www.example.org/', ?)",
            (f"http://127.0.0.1:{port}/",),
        )
    instance.must("probe")


# --- The sites ------------------------------------------------------------------------------------
@contextmanager
def targets() -> Iterator[int]:
    """Web servers for the sites that are shown: the port; each path answers as its site fares."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Target(BaseHTTPRequestHandler):
    sites: dict[str, Sketch] = {
        f"/site-{group}-{number}": sketch
        for group, sketches in enumerate(show().groups.values(), 1)
        for number, sketch in enumerate(sketches, 1)
    }
    codes = {"down": 503, "failing": 500}

    def do_HEAD(self) -> None:
        sketch = self.sites[self.path]
        time.sleep(sketch.ms / 1000)
        self.send_response(self.codes.get(sketch.fares, 200))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


# --- The pictures ---------------------------------------------------------------------------------
def take_all(browser: Browser, served: Served) -> None:
    with opened(browser, served, DESKTOP, "light") as page:
        take(page, "/", "home")
        page.set_viewport_size(TALL)
        take(page, "/outage/13/", "outage")
        take(page, f"{DOWN}?range=24h", "site", chart=True)
        page.set_viewport_size(HIGH)
        take(page, FUNCTION, "function", chart=True)
        page.set_viewport_size(LOW)
        take(page, "/timings/", "timings")
    with opened(browser, served, DESKTOP, "dark") as page:
        take(page, "/", "home-dark")
        page.set_viewport_size(LOW)
        take(page, "/timings/", "timings-dark")
        page.set_viewport_size(HIGH)
        take(page, FUNCTION, "function-dark", chart=True)
    with opened(browser, served, PHONE, "dark") as page:
        take(page, "/", "phone-dark")


@contextmanager
def opened(
    browser: Browser, served: Served, window: ViewportSize, scheme: Literal["light", "dark"]
) -> Iterator[Page]:
    """A page of somebody who has logged in."""
    context: BrowserContext = browser.new_context(
        base_url=served.address, viewport=window, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/login/")
    log_in(page, "admin", PASSWORD)
    page.get_by_role("heading", level=1).wait_for()
    yield page
    context.close()


def take(page: Page, path: str, name: str, *, chart: bool = False) -> None:
    """What stands in the window once all of it is drawn."""
    page.goto(path)
    page.wait_for_load_state("load")
    if chart:
        page.locator("figure.chart-ready canvas").first.wait_for()
        page.wait_for_timeout(1500)  # until the lines have run in
    png = base64.b64encode(page.screenshot()).decode()
    blank = page.context.new_page()
    webp = str(blank.evaluate(AS_WEBP, png))
    blank.close()
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(webp))


if __name__ == "__main__":
    sys.exit(main())
