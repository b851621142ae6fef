"""One run: the order of its steps, and whose fault a failure is, against real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import LocalFault
from monitor.due import Selection
from monitor.models import Group, OutageSites, Site, SiteView
from monitor.sweep import look, sweep
from monitor.verdicts import Target, Verdict
from tests.e2e.peers import WebServer

NOWHERE = "http://127.0.0.1:1/"


class Context:
    """What a run is given: it notes the progress and says that the lease is held."""

    def __init__(self, on_progress: Callable[[], object] = lambda: None) -> None:
        self.progressed: list[tuple[int, int]] = []
        self.on_progress = on_progress
        self.held = 0

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.progressed.append((done, total))
        self.on_progress()

    def hold(self) -> None:
        self.held += 1


@pytest.fixture
def web():
    with WebServer() as server:
        yield server


@pytest.fixture
def sandbox():
    with WebServer() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(settings) -> None:
    settings.PROBE_TIMEOUT, settings.LOOKUP_TIMEOUT = 2, 1


def target(url: str, key: int = 1) -> Target:
    return Target(key, url, frozenset({200}))


def test_without_the_sandbox_no_site_is_asked(web, settings) -> None:
    settings.SANDBOX_URLS = [NOWHERE, "http://nowhere.invalid/"]
    with pytest.raises(LocalFault, match=r"connection refused.*name not found.*no site was asked"):
        look([target(web.url("shop"))], lambda _done: None)
    assert not web.asked.is_set()


def test_one_answer_of_the_sandbox_is_enough_even_a_bad_one(web, sandbox, settings) -> None:
    sandbox.codes["s"] = 500
    settings.SANDBOX_URLS = [NOWHERE, sandbox.url("s")]
    seen = look([target(web.url("shop"))], lambda _done: None)
    assert [result.verdict for result in seen.counting] == [Verdict.UP]


def test_a_run_without_failures_asks_the_sandbox_once(web, sandbox, settings) -> None:
    settings.SANDBOX_URLS = [sandbox.url("s")]
    look([target(web.url("shop"))], lambda _done: None)
    assert sandbox.seen["s"] == 1


def test_after_a_failure_the_sandbox_is_asked_again(web, sandbox, settings) -> None:
    settings.SANDBOX_URLS = [sandbox.url("s")]
    web.codes["shop"] = 500
    seen = look([target(web.url("shop"))], lambda _done: None)
    assert sandbox.seen["s"] == 2
    assert [result.verdict for result in seen.counting] == [Verdict.DOWN]


def test_where_the_sandbox_is_lost_during_the_run_only_good_answers_count(web, sandbox, settings) -> None:
    settings.SANDBOX_URLS = [sandbox.url("s")]
    targets = [target(web.url("shop"), 1), target(NOWHERE, 2)]
    seen = look(targets, lambda done: sandbox.close() if done == 1 else None)
    assert "lost during the run" in seen.void
    assert [(result.key, result.verdict) for result in seen.counting] == [(1, Verdict.UP)]


def test_an_empty_sandbox_switches_the_check_off(settings) -> None:
    settings.SANDBOX_URLS = []
    assert [result.verdict for result in look([target(NOWHERE)], lambda _done: None).counting] == [
        Verdict.DOWN
    ]


@pytest.fixture
def shop(db, web) -> Site:
    group = Group.objects.create(name="Web", slug="web")
    return Site.objects.create(group=group, name="shop", slug="shop", url=web.url("shop"))


def test_a_run_ends_with_what_it_did(shop, web, settings) -> None:
    context = Context()
    assert sweep(context, Selection()).startswith("1 site asked in 0.")
    web.codes["shop"] = 503
    lines = [sweep(context, Selection()) for _ in range(3)]
    assert "1 failed" in lines[0]
    assert lines[2].endswith(f"outage {OutageSites.objects.get().outage_id} opened")
    assert context.progressed == [(1, 1)] * 4
    assert context.held == 4


def test_a_third_strike_does_not_count_where_the_sandbox_is_lost(shop, web, sandbox, settings) -> None:
    settings.SANDBOX_URLS = [sandbox.url("s")]
    web.codes["shop"] = 503
    for _ in range(2):
        sweep(Context(), Selection())
    with pytest.raises(LocalFault, match="1 failure of this run does not count"):
        sweep(Context(on_progress=sandbox.close), Selection())
    shop.refresh_from_db()
    assert (shop.failures, shop.state) == (2, Site.State.FAILING)
    assert SiteView.objects.count() == 2


def test_nothing_is_due(db) -> None:
    assert sweep(Context(), Selection()) == "no site is due"
