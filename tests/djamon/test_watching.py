"""Pages that ask for what they show, behind a real server: who is told of what, and who need not ask."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from djamon.lib.eventstream import Payload, message
from djamon.lib.streaming import Doors, EventApp, Scope
from djamon.lib.watching import Hub, Pace, Seen, Voice
from tests.djamon.streamserver import Reader, Running, serving, until

VOICE = Voice(logging.getLogger(__name__), "test-watcher", "lost", "back")
BEAT, STALE = "event: beat\ndata: live", "event: stale\ndata: wait"


class Wall:
    """Marks as a test sets them; a page is opened with the one that it was drawn with."""

    running: Running

    def __init__(self) -> None:
        self.marks = {"a": "1", "b": "1"}
        self.fault: Exception | None = None
        self.hub = Hub(self.look, self.seen_by, VOICE, tell=self.tell, pace=Pace(0.02, 0))
        self.app = EventApp(self.gate, self.hub.feed, Doors(50))

    async def gate(self, scope: Scope) -> str:
        return "somebody"

    def look(self, subjects):
        if self.fault:
            raise self.fault
        return {name: mark for name, mark in self.marks.items() if name in subjects}

    def seen_by(self, reader: str, scope: Scope) -> Seen[str]:
        query = parse_qs(scope["query_string"].decode())
        return Seen(query["of"][0], query["mark"][0])

    def tell(self, mark: object, count: int) -> Payload:
        return Payload(message(f"{mark} {count}", event="changed"))

    def open(self, of: str, mark: str = "1") -> Reader:
        return Reader(self.running.port, f"/?of={of}&mark={mark}")


@contextmanager
def hung() -> Iterator[Wall]:
    wall = Wall()
    with serving(wall.app) as wall.running:
        yield wall


def blocks(reader: Reader, count: int) -> list[str | None]:
    return [reader.block() for _ in range(count)]


def test_a_page_that_is_as_things_are_hears_that_it_is_live_and_no_more() -> None:
    with hung() as wall, wall.open("a") as page, wall.open("b") as other:
        assert blocks(page, 2) == blocks(other, 2) == ["retry: 2000", BEAT]
        wall.marks["b"] = "2"
        assert other.block() == "event: changed\ndata: 2 1"
        wall.marks["a"] = "3"
        assert page.block() == "event: changed\ndata: 3 1"


def test_a_page_that_is_older_hears_so_at_once() -> None:
    with hung() as wall, wall.open("a", "0") as page:
        assert blocks(page, 3) == ["retry: 2000", "event: changed\ndata: 1 1", BEAT]


def test_a_page_of_what_is_gone_is_told_to_ask() -> None:
    with hung() as wall, wall.open("nothing") as page:
        assert blocks(page, 2) == ["retry: 2000", "event: changed\ndata: None 1"]


def test_pages_are_told_how_many_ask_with_them() -> None:
    with hung() as wall:
        pages = [wall.open("a") for _ in range(20)]
        assert all(blocks(page, 2)[1] == BEAT for page in pages)
        wall.marks["a"] = "2"
        assert {page.block() for page in pages} == {"event: changed\ndata: 2 20"}
        for page in pages:
            page.close()


def test_a_fault_is_told_and_so_is_its_end_where_nothing_has_changed(caplog) -> None:
    with hung() as wall, wall.open("a") as page:
        assert blocks(page, 2) == ["retry: 2000", BEAT]
        wall.fault = RuntimeError("away")
        assert page.block() == STALE
        wall.fault = None
        assert page.block() == BEAT
    assert [record.message for record in caplog.records if record.name == __name__] == ["lost", "back"]


def test_nobody_looks_where_nobody_watches() -> None:
    with hung() as wall:
        with wall.open("a") as page:
            assert blocks(page, 2)[1] == BEAT
        assert until(lambda: not wall.hub.works)
