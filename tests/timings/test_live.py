"""The stream of timings behind a real server: who hears of what, and that nothing can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from msgspec.structs import replace

from accounts.streams import Reader as Who
from djamon.lib.negotiation import json_error
from djamon.lib.streaming import Doors, EventApp, Scope, header
from tests.djamon.streamserver import Reader, Running, serving, until
from timings.calls import Calls
from timings.live import ALL, Hub, marks, subject_of
from timings.models import Receiver
from timings.store import Store
from timings.wire import Sample as Arrived

CHANGED = "event: changed\ndata: changed"
BEAT, STALE = "event: beat\ndata: live", "event: stale\ndata: wait"


class Wall:
    """What a test has stored, watched by a hub."""

    running: Running

    def __init__(self, linger_s: float = 60) -> None:
        self.marks: dict[str, object] = {ALL: 1, "a": 1, "b/ü?": 1}
        self.asked: list[set[str]] = []
        self.fault: Exception | None = None
        self.hub = Hub(self.look, look_s=0.02, linger_s=linger_s)
        self.app = EventApp(self.gate, self.hub.feed, Doors(10))

    async def gate(self, scope: Scope) -> Who | HttpResponse:
        return json_error(401, "no") if header(scope, b"x-who") == "stranger" else Who("user", 1)

    def look(self, subjects):
        self.asked.append(set(subjects))
        if self.fault:
            raise self.fault
        return {name: mark for name, mark in self.marks.items() if name in subjects}

    def open(self, key: str | None = None, **headers: Any) -> Reader:
        path = "/" if key is None else f"/?key={quote(key, safe='')}"
        return Reader(self.running.port, path, **headers)


@contextmanager
def hung(**options: float) -> Iterator[Wall]:
    wall = Wall(**options)
    with serving(wall.app) as wall.running:
        yield wall


def begun(reader: Reader) -> None:
    """The greeting, the first look, which counts as new, and that the stream is live."""
    assert reader.block() == "retry: 2000"
    assert {reader.block(), reader.block()} == {CHANGED, BEAT}


def test_a_page_hears_of_its_own_key_alone() -> None:
    with hung() as wall, wall.open("a") as one, wall.open("b/ü?") as other, wall.open() as whole:
        for reader in (one, other, whole):
            begun(reader)
        wall.marks["b/ü?"] = 2
        assert other.block() == CHANGED
        wall.marks["a"] = 2
        assert one.block() == CHANGED
        wall.marks[ALL] = 2
        assert whole.block() == CHANGED
        assert until(lambda: wall.asked[-1] == {ALL, "a", "b/ü?"})


def test_where_nothing_can_be_told_pages_hear_that_and_when_it_is_over() -> None:
    with hung() as wall, wall.open("a") as reader:
        begun(reader)
        wall.fault = RuntimeError("away")
        assert reader.block() == STALE
        wall.marks["a"] = 2
        wall.fault = None
        assert {reader.block(), reader.block()} == {CHANGED, BEAT}


def test_nobody_looks_where_nobody_watches() -> None:
    with hung(linger_s=0) as wall:
        with wall.open("a") as reader:
            begun(reader)
        assert until(lambda: not wall.hub.works)
        seen = len(wall.asked)
        with wall.open("a") as reader:
            begun(reader)
        assert len(wall.asked) > seen


def test_who_is_not_let_in_hears_nothing() -> None:
    with hung() as wall, wall.open("a", X_Who="stranger") as reader:
        assert reader.status == 401


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        (b"", ALL),
        (b"key=a%2Fb", "a/b"),
        (b"key=%C3%BC", "ü"),
        (b"key=a%00b", "ab"),
        (b"key=" + b"k" * 900, "k" * 500),
    ],
)
def test_the_address_says_what_is_watched(query, subject) -> None:
    assert subject_of({"query_string": query}) == subject


# --- What is another as soon as there is something new ----------------------------------------------
@pytest.mark.django_db
def test_marks_change_with_each_call_of_their_key_alone() -> None:
    store, arrived = Store(10), Arrived("a", "t", 1_780_000_000, 0.1)
    store.write(Calls([arrived, replace(arrived, key="b"), replace(arrived, token="other")]))
    before = marks(["a", "b", "nobody"])
    store.write(Calls([replace(arrived, timestamp=1_700_000_000)]))  # late, and no later than the last one
    after = marks(["a", "b", "nobody"])
    assert (before["a"], after["a"], before["b"], after["b"]) == (2, 3, 1, 1)
    assert "nobody" not in after


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"stored": 1}, {"refused": {"not JSON": 1}}, {"updated": "2026-01-01T00:00Z"}]
)
def test_the_lists_mark_changes_with_the_receivers_figures(change) -> None:
    from django.utils import timezone  # noqa: PLC0415

    now = timezone.now()
    Receiver.objects.create(address="127.0.0.1:4000", started=now, updated=now)
    before = marks([ALL])[ALL]
    assert marks([ALL])[ALL] == before
    Receiver.objects.update(**change)
    assert marks([ALL])[ALL] != before
