from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.utils.safestring import mark_safe

from accounts.streams import Audience, Reader
from djamon.lib.streaming import Doors, EventApp, Scope, header
from monitor.live import TAGS_KEPT, History, Hub, Look, changed, page_of, shown_tag
from monitor.marks import Subject
from tests.djamon import streamserver
from tests.djamon.streamserver import Running, serving, until


@dataclass
class FakeBoard:
    tag: str
    pieces: dict[str, str] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    order: dict[str, tuple[str, ...]] = field(default_factory=dict)


BEAT, STALE = "event: beat\ndata: live", "event: stale\ndata: wait"
ONE = FakeBoard(
    "one",
    {"head": mark_safe("<b>\u200fup\n</b>"), "a": "A", "b": "B"},
    {"group": "<g>"},
    {"rows": ("a", "b")},
)
FALLEN = FakeBoard("two", {"head": "down", "a": "A!", "b": "B"}, {"group": "<g>"}, {"rows": ("a", "b")})
MOVED = FakeBoard("three", {"head": "down", "a": "A!", "b": "B"}, {"group": "<g>"}, {"rows": ("b", "a")})
GONE = FakeBoard("four", {"head": "down", "b": "B"}, {"group": "<g>"}, {"rows": ("b",)})


# --- What a browser is sent ----------------------------------------------------------------------
def history_of(*boards: FakeBoard) -> History:
    history = History()
    for board in boards:
        history.advance(board)
    return history


CHANGES = [
    # (id, boards, what the browser shows, pieces, frames, order)
    ("all to who shows nothing", [ONE], "", {"head", "a", "b"}, {"group"}, {"rows"}),
    ("all to who shows what nobody knows", [ONE, FALLEN], "x", {"head", "a", "b"}, {"group"}, {"rows"}),
    ("what has changed", [ONE, FALLEN], "one", {"head", "a"}, set(), set()),
    ("an order", [ONE, FALLEN, MOVED], "two", set(), set(), {"rows"}),
    ("several versions in one", [ONE, FALLEN, MOVED], "one", {"head", "a"}, set(), {"rows"}),
    ("what is gone is out of the order", [ONE, FALLEN, GONE], "two", set(), set(), {"rows"}),
    ("what has come back", [ONE, GONE, ONE], "four", {"head", "a"}, set(), {"rows"}),
    ("what was there and back, to be sure", [ONE, FALLEN, ONE], "two", {"head", "a"}, set(), set()),
    ("nothing", [ONE, FALLEN], "two", set(), set(), set()),
]


@pytest.mark.parametrize(
    ("boards", "shown", "pieces", "frames", "order"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_what_is_sent(boards, shown, pieces, frames, order) -> None:
    history = history_of(*boards)
    change = history.since(history.version_of(shown))
    assert (change.pieces.keys(), change.frames.keys(), change.order.keys()) == (pieces, frames, order)
    assert change.tag == boards[-1].tag
    assert all(boards[-1].pieces[name] == content for name, content in change.pieces.items())


def test_the_same_board_is_no_new_version() -> None:
    history = history_of(ONE)
    assert (history.advance(ONE), history.version) == (False, 1)


def test_a_tag_that_came_back_stands_for_its_last_version() -> None:
    history = history_of(ONE, FALLEN, ONE)
    assert history.version_of("one") == history.version


def test_old_tags_are_forgotten() -> None:
    history = history_of(*(FakeBoard(str(number)) for number in range(TAGS_KEPT + 1)))
    assert (history.version_of("0"), history.version_of("1")) == (0, 2)


SHOWN = [
    (b"tag=abc", [], "abc"),
    (b"", [], ""),
    (b"tag=abc&tag=d", [], "abc"),
    (b"tag=abc", [(b"last-event-id", b"newer")], "newer"),
    (b"tag=%FF", [], "\ufffd"),
]


@pytest.mark.parametrize(("query", "headers", "tag"), SHOWN)
def test_what_a_browser_says_that_it_shows(query, headers, tag) -> None:
    assert shown_tag({"query_string": query, "headers": headers}) == tag


PAGES = [
    ("home", b"tag=abc", "staff", None),
    ("a site", b"site=shop&mark=m1", "user", (Subject("site", "shop", True), "m1")),
    ("an outage", b"outage=12", "staff", (Subject("outage", "12", True), "")),
    ("the list, a stranger", b"outages=all&mark=m1", "stranger", (Subject("outages", "all", False), "m1")),
]


@pytest.mark.parametrize(
    ("query", "audience", "seen"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES]
)
def test_which_page_a_stream_is_for(query, audience, seen) -> None:
    assert page_of(Reader(audience), {"query_string": query, "headers": []}) == seen


def test_who_connects_again_shows_what_it_was_told_last() -> None:
    scope = {"query_string": b"site=shop&mark=m1", "headers": [(b"last-event-id", b"m2")]}
    assert page_of(Reader("user"), scope) == (Subject("site", "shop", True), "m2")


@pytest.mark.parametrize(("count", "spread_ms"), [(1, 0), (101, 500), (10_000, 10_000)])
def test_many_pages_do_not_ask_in_the_same_moment(count, spread_ms) -> None:
    said = f'event: changed\nid: m1\ndata: {{"spread_ms": {spread_ms}}}\n\n'
    assert changed("m1", count).plain.decode() == said


PAUSES = [
    ("quick", 0.001, 0.0, 0.001, 1.0),
    ("slow looks", 0.1, 0.0, 0.1, 1.9),
    ("slow drawing", 0.01, 0.5, 0.51, 2.0),
    ("a busy machine", 0.01, 0.0, 0.9, 1.0),
    ("a slow database", 0.01, 0.0, 3.0, 3.0),
]


@pytest.mark.parametrize(
    ("look_s", "draw_s", "took_s", "pause_s"), [c[1:] for c in PAUSES], ids=[c[0] for c in PAUSES]
)
def test_looking_takes_its_share_of_a_core_at_most(look_s, draw_s, took_s, pause_s) -> None:
    assert Look("x", {}, look_s, draw_s, took_s).pause_s() == pytest.approx(pause_s)


# --- The hub -------------------------------------------------------------------------------------
class Wall:
    """Home as a test paints it, watched by a hub behind a real server."""

    running: Running

    def __init__(self, linger_s: float = 60) -> None:
        self.boards: dict[str, FakeBoard] = {"staff": ONE, "user": ONE, "stranger": ONE}
        self.print = 1
        self.drawn: list[set[str]] = []
        self.looks = 0
        self.fault: Exception | None = None
        self.hub = Hub(self.draw, self.fingerprint, look_s=0.05, linger_s=linger_s)
        self.app = EventApp(self.gate, self.hub.feed, Doors(500))

    async def gate(self, scope: Scope) -> Reader:
        names: dict[str, Audience] = {"staff": "staff", "stranger": "stranger"}
        return Reader(names.get(header(scope, b"x-who"), "user"))

    def fingerprint(self, now: datetime) -> object:
        self.looks += 1
        if self.fault:
            raise self.fault
        return self.print

    def draw(self, now: datetime, audiences: Collection[Audience]) -> dict[Audience, FakeBoard]:
        self.drawn.append(set(audiences))
        return {audience: self.boards[audience] for audience in audiences}

    def paint(self, board: FakeBoard, *audiences: str) -> None:
        self.boards |= dict.fromkeys(audiences or self.boards, board)
        self.print += 1

    def browser(self, tag: str = "", who: str = "user", **headers: Any) -> streamserver.Reader:
        path = f"/events/sites?tag={quote(tag)}"
        return streamserver.Reader(self.running.port, path, X_Who=who, **headers)

    def after_a_look(self) -> bool:
        seen = self.looks
        return until(lambda: self.looks > seen + 1)


@contextmanager
def hung(wall: Wall) -> Iterator[Wall]:
    with serving(wall.app) as wall.running:
        yield wall


def next_of(browser: streamserver.Reader) -> Any:
    said = browser.message()
    assert said is not None
    assert (said.event, said.mark) == ("board", said.json["tag"])
    return said.json


def test_a_page_hears_what_changes_and_nothing_else() -> None:
    with hung(Wall()) as wall, wall.browser("one", Accept_Encoding="gzip") as browser:
        assert wall.after_a_look()
        wall.paint(FALLEN)
        expected = {"tag": "two", "pieces": {"head": "down", "a": "A!"}, "frames": {}, "order": {}}
        assert next_of(browser) == expected


def test_a_page_that_is_unknown_is_told_all() -> None:
    with hung(Wall()) as wall, wall.browser("old") as browser:
        assert next_of(browser) == {
            "tag": "one",
            "pieces": ONE.pieces,
            "frames": ONE.frames,
            "order": {"rows": ["a", "b"]},
        }


def test_who_connects_again_goes_on_where_the_stream_broke() -> None:
    with hung(Wall()) as wall:
        with wall.browser("one") as browser:
            assert wall.after_a_look()
            wall.paint(FALLEN)
            next_of(browser)
        wall.paint(MOVED)
        with wall.browser("one", Last_Event_ID="two") as browser:
            assert next_of(browser)["pieces"] == {}


def test_a_page_that_is_newer_than_the_last_look_is_not_shown_the_past() -> None:
    with hung(Wall()) as wall, wall.browser("one"):
        assert wall.after_a_look()
        wall.paint(FALLEN)
        with wall.browser("two") as newer:
            assert wall.after_a_look()
            wall.paint(MOVED)
            assert next_of(newer)["tag"] == "three"


def test_each_audience_is_told_its_own() -> None:
    with (
        hung(Wall()) as wall,
        wall.browser("one", "staff") as staff,
        wall.browser("one", "stranger") as other,
    ):
        assert until(lambda: {"staff", "stranger"} <= set().union(*wall.drawn))
        wall.paint(FALLEN, "staff")
        assert next_of(staff)["tag"] == "two"
        wall.paint(MOVED, "stranger")
        assert next_of(other)["tag"] == "three"


def test_only_who_watches_is_drawn_for_and_only_where_something_changed() -> None:
    with hung(Wall()) as wall, wall.browser("one", "stranger"):
        assert wall.after_a_look()
        assert wall.after_a_look()
    assert wall.drawn == [{"stranger"}]


def test_many_pages_are_told_by_one_drawing() -> None:
    with hung(Wall()) as wall:
        browsers = [wall.browser("one", Accept_Encoding="gzip") for _ in range(100)]
        assert wall.after_a_look()
        drawn = len(wall.drawn)
        wall.paint(FALLEN)
        assert {next_of(browser)["tag"] for browser in browsers} == {"two"}
        assert len(wall.drawn) == drawn + 1
        for browser in browsers:
            browser.close()


def test_a_fault_is_logged_once_and_pages_say_that_they_are_not_live(caplog) -> None:
    with hung(Wall()) as wall, wall.browser("one") as browser:
        assert wall.after_a_look()
        wall.fault = RuntimeError("no database")
        assert wall.after_a_look()
        assert wall.after_a_look()
        assert [browser.block() for _ in range(3)] == ["retry: 2000", BEAT, STALE]
        wall.fault = None
        assert browser.block() == BEAT
        wall.paint(FALLEN)
        assert next_of(browser)["tag"] == "two"
    told = [record.message for record in caplog.records if record.name == "monitor.live"]
    assert told == ["home is not live: it cannot be told what has changed", "home is live again"]


def test_nobody_looks_while_nobody_watches() -> None:
    with hung(Wall(linger_s=0.1)) as wall:
        assert not wall.hub.works
        with wall.browser("one"):
            assert until(lambda: wall.hub.works)
        assert until(lambda: not wall.hub.works)
        with wall.browser("old") as browser:
            assert next_of(browser)["tag"] == "one"
    assert until(lambda: not [thread for thread in threading.enumerate() if "home-watcher" in thread.name])
