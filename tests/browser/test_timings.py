"""The pages of timings: a program's calls appear on them, move them, and disturb nobody who reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import overflow, violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.serving import Served, serving
from tests.e2e.conftest import ROOT
from tests.e2e.test_kodemon import Kodemon, kodemon

PROGRAM = """
import sys
from kodemon import kodemon

@kodemon(customer="Ann <b>", page=3)
def buy():
    return sum(range(10_000))

for _ in sys.stdin:  # a call a line
    buy()
    print("called", flush=True)
"""
KEY = "shop.py-buy"
AWKWARD = ['<script>alert("x")</script>', "a b/c//d ü漢🙂", "..", "k" * 500, "limits/", "100%25?#&+"]


@dataclass
class Program:
    """A decorated program that runs on its own, and calls its function when it is told."""

    process: subprocess.Popen[str]

    def calls(self, times: int = 1) -> None:
        assert self.process.stdin
        assert self.process.stdout
        for _ in range(times):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "called\n"


@dataclass
class Installation:
    served: Served
    receiver: Kodemon

    def send(self, *keys: str, execution_time: float = 0.25, **fields: Any) -> None:
        """As ``nc -u`` does."""
        message = {"execution_time": execution_time, "timestamp": int(time.time()), "token": "t", **fields}
        self.receiver.send(*(json.dumps({"key": key, **message}).encode() for key in keys))


@pytest.fixture
def running(copies) -> Iterator[Installation]:
    with copies("nothing") as made, kodemon(made) as receiver, serving(made) as served:
        yield Installation(served, receiver)


@pytest.fixture
def program(running, tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "shop.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, "shop.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "agents/kodemon/src"), "KODEMON_PORT": str(running.receiver.port)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Program(process)
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def path_of(key: str) -> str:
    return f"/timings/?key={quote(key, safe='')}"


def count_of(page: Page) -> Any:
    return page.locator('[data-figure="count"]')


def pixels(page: Page) -> str:
    return str(
        page.locator('[data-timings-chart="calls"] canvas').first.evaluate("canvas => canvas.toDataURL()")
    )


def ticks(page: Page) -> list[float]:
    """Of the axis of calls."""
    found: list[float] = page.locator('[data-timings-chart="calls"] canvas').first.evaluate(
        """canvas => echarts.getInstanceByDom(canvas.closest("[_echarts_instance_]"))
        .getModel().getComponent("yAxis").axis.scale.getTicks().map(({ value }) => value)"""
    )
    return found


def test_a_decorated_program_is_seen_soon_and_its_graph_moves(running, program, staff) -> None:
    page = staff(running.served).opens("/timings/")
    expect(page.get_by_text("No function has sent anything yet")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"nc -u -w1 127.0.0.1 {running.receiver.port}")
    page.evaluate("window.notReloaded = true")
    program.calls()
    called = time.monotonic()
    expect(page.get_by_role("link", name=KEY)).to_be_visible()
    assert time.monotonic() - called < 5  # seen: about 1 s, on a machine that others use, too
    expect(page.get_by_text("No function has sent anything yet")).to_be_hidden()
    assert page.evaluate("window.notReloaded")

    page.get_by_role("link", name=KEY).click()
    expect(count_of(page)).to_have_text("1")
    expect(page.locator("#timings-latest")).to_contain_text("customer Ann <b>")
    expect(page.locator("figure canvas").first).to_be_visible()
    assert [tick for tick in ticks(page) if tick % 1] == []
    page.evaluate("window.notReloaded = true")
    before = pixels(page)
    program.calls(20)
    expect(count_of(page)).to_have_text("21")
    page.wait_for_function(
        "old => document.querySelector('[data-timings-chart=calls] canvas').toDataURL() !== old", arg=before
    )
    assert page.evaluate("window.notReloaded")


def test_a_datagram_sent_by_hand_does_the_same_and_a_silent_receiver_is_missed(running, staff) -> None:
    page = staff(running.served).opens("/timings/")
    running.send(KEY)
    row = page.get_by_role("row", name=re.compile(KEY))
    expect(row).to_contain_text("250 ms")
    running.send(KEY, KEY, execution_time=1.5)
    expect(row).to_contain_text("1,500 ms")
    running.receiver.send(b"no JSON")
    expect(page.locator("#receivers-more")).to_contain_text("1 not JSON")
    expect(page.get_by_role("row", name=re.compile("127.0.0.1"))).to_contain_text("receiving")
    running.receiver.end()
    with running.served.instance.connect() as connection:  # 15 s later
        connection.execute("UPDATE timings_receiver SET updated = '2026-01-01 12:00:00+00:00'")
    expect(page.get_by_text("has not reported since 2026-01-01")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("127.0.0.1"))).to_contain_text("silent")


def test_who_reads_and_types_is_not_disturbed(running, staff) -> None:
    keys = [f"module_{number:02}.py-f" for number in range(40)]
    running.send(*keys)
    running.receiver.wait_until_stored(40)
    page = staff(running.served).opens("/timings/")
    page.get_by_role("searchbox").fill("mod")
    page.evaluate("window.scrollTo(0, 300)")
    row = page.get_by_role("row", name=re.compile(keys[20]))
    top = row.evaluate("row => row.getBoundingClientRect().top")
    running.send(keys[20], "a_first.py-f")
    expect(row).to_contain_text("2")
    expect(page.get_by_role("link", name="a_first.py-f")).to_be_attached()
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("mod")
    assert abs(row.evaluate("row => row.getBoundingClientRect().top") - top) <= 2
    page.keyboard.type("ule_2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("10 functions found")).to_be_visible()


def test_a_list_that_is_sorted_and_turned_stays_so(running, staff) -> None:
    for number in range(60):
        running.send(f"f{number:02}", execution_time=number)
    running.receiver.wait_until_stored(60)
    page = staff(running.served).opens("/timings/?sort=-p95&page=2")
    first = page.locator("#timings-rows a").first
    expect(first).to_have_text("f09")
    running.send("f09", "f00", execution_time=9.5)
    expect(page.get_by_role("row", name=re.compile("f09"))).to_contain_text("9,250 ms")
    expect(first).to_have_text("f00")
    running.send("f04", execution_time=9.9)
    expect(first).to_have_text("f04")


def test_a_range_is_chosen_zoomed_and_paused_and_one_in_the_past_stands_still(running, staff) -> None:
    running.send(KEY, timestamp=int(time.time()) - 7200)
    running.receiver.wait_until_stored(1)
    page = staff(running.served).opens(f"/timings/{KEY}")
    expect(page.get_by_text("No call began in this time")).to_be_visible()
    page.get_by_role("link", name="last 6 hours").click()
    expect(page).to_have_url(re.compile("range=6h"))
    expect(count_of(page)).to_have_text("1")
    expect(page.get_by_role("link", name="last 6 hours")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("link", name="Show this part in detail").click()
    expect(page.get_by_text("does not move")).to_be_visible()
    page.get_by_role("link", name="Follow the last hour").click()
    running.send(KEY)
    expect(count_of(page)).to_have_text("1")
    page.get_by_role("button", name="Zoom in").click()
    shown = page.locator("figure [role=status]").first
    before = shown.inner_text()
    assert before.startswith("Shown: ")
    running.send(KEY)
    expect(count_of(page)).to_have_text("2")
    assert shown.inner_text() == before
    page.get_by_role("button", name="Pause").click()
    running.send(KEY)
    running.receiver.wait_until_stored(4)
    expect(page.get_by_text("Paused.")).to_be_visible()
    expect(count_of(page)).to_have_text("2")
    page.get_by_role("button", name="Follow").click()
    expect(count_of(page)).to_have_text("3")


def cut(page: Page) -> list[str]:
    """Tables of which a part is out of sight."""
    names: list[str] = page.locator(".table-responsive").evaluate_all(
        "tables => tables.filter((t) => t.scrollWidth > t.clientWidth).map((t) => t.innerText)"
    )
    return names


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_of_the_tables_is_out_of_sight(window, running, staff) -> None:
    running.send(KEY, user="Ann", query="x" * 900, page=3)
    running.receiver.send(*(b"no JSON", b"[]", b"{}", b'{"key":"a"}', b'{"key":1}') * 2)
    running.receiver.wait_until_stored(1)
    page = staff(running.served).opens("/timings/", viewport=window)
    for figure in ("td:has(.sparkline)", '[data-name="p50"]', '[data-name="Last"]'):
        expect(page.locator(f"#timings-rows {figure}")).to_be_visible()
    expect(page.locator("#receivers-more")).to_contain_text("2 not an object")
    assert cut(page) == []
    page.goto(f"/timings/{KEY}")
    expect(page.get_by_role("cell", name="nothing to compare with").first).to_be_visible()
    expect(page.locator("#timings-latest")).to_contain_text("page 3")
    assert cut(page) == []


def test_keys_of_any_signs_have_their_pages_and_do_nothing(running, staff) -> None:
    running.send(*AWKWARD)
    running.receiver.wait_until_stored(len(AWKWARD))
    page = staff(running.served).opens("/timings/", viewport=PHONE)
    faults = []
    for place, key in enumerate(sorted(AWKWARD)):
        page.goto("/timings/")
        page.locator("#timings-rows a").nth(place).click()
        expect(count_of(page)).to_have_text("1")
        heading = page.get_by_role("heading", level=1).inner_text()
        faults.append(overflow(page))
        page.goto(path_of(key))
        expect(page.get_by_role("heading", level=1)).to_have_text(key)
        running.send(heading)
        expect(count_of(page)).to_have_text("2") if heading == key else faults.append(heading)
    assert [fault for fault in [*faults, *violations(page)] if fault] == []


def test_without_scripts_everything_can_be_read(running, staff) -> None:
    running.send(KEY, user="Ann")
    running.receiver.wait_until_stored(1)
    page = staff(running.served).opens("/timings/?sort=-p95", java_script_enabled=False)
    page.get_by_role("link", name="Calls").click()
    expect(page.get_by_role("columnheader", name="Calls")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name=KEY).click()
    expect(count_of(page)).to_have_text("1")
    page.get_by_text("The same as a table").click()
    expect(page.locator("#timings-buckets")).to_contain_text("250 ms")
    expect(page.locator("#timings-slowest")).to_contain_text("user Ann")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
