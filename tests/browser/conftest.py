"""Browsers for tests, which look at real installations, and what is demanded of every page they open.

The browser lives no longer than this package's tests: its driver runs an event loop, beside which Django's
ORM refuses to work in the tests that follow in the same process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect

from scripts import chromium
from tests.browser.serving import Served, fill, log_in, serving, set_up
from tests.browser.sketches import PASSWORD
from tests.e2e.conftest import Instance, copy_of, instance, mail, template, web

__all__ = ["instance", "mail", "template", "web"]  # fixtures

PATIENCE_MS = 20_000  # two cores may be shared with other tests
expect.set_options(timeout=PATIENCE_MS)
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)


@dataclass
class Watch:
    """What pages did that none may do; ``expected`` are pieces of console messages that a test provokes."""

    address: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"a request left this host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        said = message.text
        if message.type in {"error", "warning"} and not any(piece in said for piece in self.expected):
            self.faults.append(f"console: {said} ({message.location.get('url')})")


@dataclass
class Visitor:
    """Somebody with a browser in front of an installation."""

    browser: Browser
    served: Served
    watch: Watch
    state: Any = None

    def opens(self, path: str = "/", **options: Any) -> Page:
        """A page in a window of its own; ``options`` are those of Playwright's contexts."""
        # Nothing fades, so that colours are what they will be as soon as they are asked for.
        usual = {"viewport": DESKTOP, "reduced_motion": "reduce", "base_url": self.served.address}
        context = self.browser.new_context(**usual | {"storage_state": self.state} | options)
        context.set_default_timeout(PATIENCE_MS)
        self.watch.over(context)
        page = context.new_page()
        page.goto(path)
        return page


Visits = Callable[[Served], Visitor]
Copies = Callable[..., AbstractContextManager[Instance]]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if chromium.find() is None:
        if os.environ.get("TEST_REQUIRE_BROWSER"):
            pytest.fail(chromium.HOW_TO_GET)
        pytest.skip(chromium.HOW_TO_GET)
    with chromium.launched() as launched:
        yield launched


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """A visitor for an installation; at the end, that no page did what none may do."""
    watches: list[Watch] = []

    def visit(served: Served) -> Visitor:
        watches.append(Watch(served.address))
        return Visitor(browser, served, watches[-1])

    yield visit
    for context in browser.contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.fixture(scope="package")
def var_dir(template: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Static files as an installation collects them, for all that only look."""
    folder = tmp_path_factory.mktemp("var")
    set_up(template, folder)
    template.must("collectstatic", "--no-input", "-v0")
    return folder


@pytest.fixture(scope="package")
def filled(
    template: Instance, var_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Instance]]:
    """A database of this size, to be copied."""
    with ExitStack() as stack:
        made: dict[str, Instance] = {}

        def get(size: str) -> Instance:
            if size not in made:
                made[size] = stack.enter_context(copy_of(template, tmp_path_factory.mktemp(size)))
                set_up(made[size], var_dir)
                fill(made[size], size)
            return made[size]

        yield get


@pytest.fixture(scope="package")
def sized(
    filled: Any, var_dir: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Served]]:
    """An installation filled with so much, by the names of tests.browser.sketches; tests only look at it."""
    with ExitStack() as stack:
        made: dict[str, Served] = {}

        def get(size: str) -> Served:
            if size not in made:
                # A copy: nobody may be connected to what others are copied from.
                copy = stack.enter_context(copy_of(filled(size), tmp_path_factory.mktemp(f"served-{size}")))
                set_up(copy, var_dir)
                made[size] = stack.enter_context(serving(copy))
            return made[size]

        yield get


@pytest.fixture(scope="package")
def states() -> dict[tuple[str, str], Any]:
    """The cookies of who is logged in where: a login costs a tenth of a second on purpose."""
    return {}


@pytest.fixture
def staff(visits: Visits, states: dict[tuple[str, str], Any]) -> Callable[[Served], Visitor]:
    """The administrator, logged in."""

    def enter(served: Served) -> Visitor:
        visitor = visits(served)
        key = (served.address, "admin")
        if key not in states:
            page = visitor.opens("/login/")
            log_in(page, "admin", PASSWORD)
            states[key] = page.context.storage_state()
            page.context.close()
        visitor.state = states[key]
        return visitor

    return enter


@pytest.fixture
def copies(filled: Any, var_dir: Path, browser: Browser, tmp_path: Path) -> Copies:
    """A filled installation of the test's own, with settings; not started yet."""

    @contextmanager
    def copied(size: str, **settings: str) -> Iterator[Instance]:
        with copy_of(filled(size), tmp_path) as made:
            set_up(made, var_dir)
            made.settings |= settings
            yield made

    return copied


@pytest.fixture
def own(copies: Copies) -> Iterator[Served]:
    """An installation with its users and nothing else, which the test may change."""
    with copies("nothing") as made, serving(made) as served:
        yield served


@pytest.fixture
def own_little(copies: Copies) -> Iterator[Served]:
    """One with a few sites and outages."""
    with copies("little") as made, serving(made) as served:
        yield served
