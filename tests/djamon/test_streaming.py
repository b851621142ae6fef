from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse

from djamon.lib.eventstream import Payload, message
from djamon.lib.negotiation import json_error
from djamon.lib.streaming import Doors, EventApp, Pace, Scope, Wake
from tests.djamon.streamserver import Reader, Running, serving, until

BEAT, STALE = "event: beat\ndata: live", "event: stale\ndata: wait"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class House:
    """A gate and feeds that a test sets by hand; what is said is said to all who are there."""

    def __init__(self, limit: int = 10, **pace: float) -> None:
        self.verdict: str | HttpResponse = "sam"
        self.live = False
        self.asked = 0
        self.feeds: list[Said] = []
        self.doors = Doors(limit)
        self.app = EventApp(self.gate, self.feed, self.doors, Pace(**pace))
        self.running: Running

    async def gate(self, scope: Scope) -> str | HttpResponse:
        self.asked += 1
        return self.verdict

    def feed(self, who: str, scope: Scope, wake: Wake) -> Said:
        self.feeds.append(Said(self, wake))
        return self.feeds[-1]

    def say(self, data: str) -> None:
        def now() -> None:
            for feed in self.feeds:
                feed.waiting.append(data)
                feed.wake()

        self.running.call(now)

    def turn(self, *, live: bool) -> None:
        def now() -> None:
            self.live = live
            for feed in self.feeds:
                feed.wake()

        self.running.call(now)

    def close(self) -> None:
        self.running.call(self.doors.close)

    def reader(self, **options: Any) -> Reader:
        return Reader(self.running.port, **options)


class Said:
    def __init__(self, house: House, wake: Wake) -> None:
        self.house = house
        self.wake = wake
        self.waiting: list[str] = []

    @property
    def live(self) -> bool:
        return self.house.live

    async def fresh(self) -> Payload | None:
        said, self.waiting = self.waiting, []
        return Payload(b"".join(map(message, said))) if said else None

    def close(self) -> None:
        self.house.feeds.remove(self)


@contextmanager
def opened(house: House) -> Iterator[House]:
    with serving(house.app) as house.running:
        yield house


def test_what_is_said_comes_at_once() -> None:
    with opened(House()) as house, house.reader() as reader:
        assert reader.block() == "retry: 2000"
        house.say("hello")
        assert reader.block() == "data: hello"


def test_a_stream_is_kept_by_nobody_and_passed_on_at_once() -> None:
    with opened(House()) as house, house.reader() as reader:
        kept = {name: reader.headers[name] for name in ("content-type", "cache-control", "x-accel-buffering")}
    assert kept == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
    }


def test_who_reads_gzip_reads_the_same() -> None:
    with opened(House()) as house, house.reader(Accept_Encoding="gzip, br") as reader:
        assert reader.headers["content-encoding"] == "gzip"
        assert reader.block() == "retry: 2000"
        house.say("hello")
        assert reader.block() == "data: hello"


def test_a_quiet_stream_is_kept_open_by_comments() -> None:
    with opened(House(beat_s=0.01)) as house, house.reader() as reader:
        assert [reader.block() for _ in range(3)] == ["retry: 2000", ":", ":"]


def test_who_is_shown_how_things_are_hears_a_beat() -> None:
    house = House(beat_s=0.01)
    house.live = True
    with opened(house), house.reader() as reader:
        assert [reader.block() for _ in range(3)] == ["retry: 2000", BEAT, BEAT]


def test_who_is_shown_what_may_be_old_is_told_and_when_it_is_over() -> None:
    house = House()
    house.live = True
    with opened(house), house.reader() as reader:
        assert [reader.block() for _ in range(2)] == ["retry: 2000", BEAT]
        house.turn(live=False)
        assert reader.block() == STALE
        house.turn(live=True)
        assert reader.block() == BEAT


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "DELETE"])
def test_a_stream_is_read_by_get_alone(method) -> None:
    with opened(House()) as house, house.reader(method=method) as reader:
        assert (reader.status, reader.headers["allow"], house.asked) == (405, "GET", 0)


def test_who_is_refused_reads_why() -> None:
    with opened(House()) as house:
        house.verdict = json_error(401, "Log in.")
        with house.reader() as reader:
            assert (reader.status, reader.body(), house.feeds) == (401, {"error": "Log in."}, [])


def test_beyond_the_limit_one_is_told_to_come_back() -> None:
    with opened(House(limit=1)) as house, house.reader(), house.reader() as second:
        assert (second.status, second.headers["retry-after"]) == (503, "30")
        assert "EVENTS_MAX_CLIENTS" in second.body()["error"]


def test_who_leaves_makes_room() -> None:
    with opened(House(limit=1)) as house:
        for _ in range(3):
            house.reader().close()
            assert until(lambda: len(house.doors) == 0)
        with house.reader() as reader:
            assert reader.status == 200


def test_who_may_read_no_more_is_told_and_let_go() -> None:
    with opened(House(check_s=0.01)) as house, house.reader() as reader:
        assert until(lambda: house.asked > 2)
        house.verdict = json_error(401, "Log in.")
        said = reader.message()
        assert said is not None
        assert said.event == "gone"
        assert reader.message() is None


def test_who_has_become_somebody_else_is_let_go() -> None:
    with opened(House(check_s=0.01)) as house, house.reader() as reader:
        house.verdict = "mia"
        said = reader.message()
        assert said is not None
        assert said.event == "gone"


def test_a_gate_that_is_out_of_order_sends_nobody_away() -> None:
    with opened(House(check_s=0.01)) as house, house.reader() as reader:
        house.verdict = json_error(503, "The database does not answer.")
        asked = house.asked
        assert until(lambda: house.asked > asked + 2)
        house.say("still here")
        said = reader.message()
        assert said is not None
        assert said.data == "still here"


def test_a_peer_that_does_not_read_is_dropped_and_others_do_not_wait(caplog) -> None:
    with opened(House(send_s=0.2)) as house, house.reader(buffer=4096), house.reader() as quick:
        assert until(lambda: len(house.feeds) == 2)
        for _ in range(2):  # the first fills what the kernel holds for the peer
            house.say("x" * 8_000_000)
            assert quick.message() is not None
        assert until(lambda: len(house.doors) == 1)
        house.say("on")
        said = quick.message()
        assert said is not None
        assert said.data == "on"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_all_streams_end_when_the_process_shall(caplog) -> None:
    with opened(House()) as house, house.reader(Accept_Encoding="gzip") as one, house.reader(buffer=4096):
        assert until(lambda: len(house.feeds) == 2)
        house.say("x" * 8_000_000)
        assert one.message() is not None
        house.close()
        assert one.message() is None
        assert until(lambda: len(house.doors) == 0)
        with suppress(OSError), house.reader() as late:
            assert late.status == 503
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_figures_tell_how_many_are_open() -> None:
    with opened(House()) as house, house.reader(), house.reader():
        assert until(lambda: len(house.feeds) == 2)
        figures = {metric.name: metric.samples[0].value for metric in house.doors.figures(NOW)}
    assert figures == {"djamon_event_streams": 2, "djamon_event_streams_limit": 10}


def test_no_streams_at_all_where_the_limit_is_nothing() -> None:
    with opened(House(limit=0)) as house, house.reader() as reader:
        assert reader.status == 503


FILES = [(100, 1000, 200, 712), (100, 600, 5000, 600), (900, 1000, 100, 900)]


@pytest.mark.parametrize(
    ("soft", "hard", "streams", "after"), FILES, ids=["raised", "up to the hard limit", "enough"]
)
def test_there_is_room_for_the_streams_as_far_as_the_system_allows(soft, hard, streams, after) -> None:
    code = f"""
import resource
from djamon.lib.streaming import make_room
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
make_room({streams})
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"({after}, {hard})\n"


def test_a_server_that_cannot_be_cut_off_is_left_alone() -> None:
    """Another server than uvicorn: the stream just ends."""
    house, sent = House(send_s=0.01), []

    async def send(said: Any) -> None:
        sent.append(said["type"])
        await asyncio.sleep(1 if len(sent) > 1 else 0)

    async def receive() -> Any:
        return await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(asyncio.wait_for(house.app(scope, receive, send), 10))
    assert (sent[0], len(house.doors)) == ("http.response.start", 0)
