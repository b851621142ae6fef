"""The queue between socket and store."""

from __future__ import annotations

import pytest
import time_machine

from timings.inbox import CHUNK_S, CHUNK_SIZE, OVERHEAD, Inbox


def drain(inbox: Inbox) -> list[bytes]:
    found = []
    while (chunk := inbox.take()) is not None:
        assert chunk.count == len(chunk.lines.split(b"\n"))
        found += chunk.lines.split(b"\n")
    return found


def test_what_is_put_comes_out_in_its_order():
    inbox = Inbox(1_000_000)
    words = [b"%d" % number for number in range(CHUNK_SIZE + 3)]
    for at in range(0, len(words), 7):
        inbox.put(words[at : at + 7])
    assert len(inbox) == len(words)
    assert drain(inbox) == words
    assert (len(inbox), inbox.take(), inbox.dropped) == (0, None, 0)


@pytest.mark.parametrize("words", [[b""], [b"", b""], [b"a\nb"], [b"a", b"\n", b"", b"b\n\n"]], ids=repr)
def test_datagrams_stay_apart_whatever_they_hold(words):
    inbox = Inbox(1000)
    inbox.put(words)
    assert drain(inbox) == [word.strip().replace(b"\n", b"\r") for word in words]


def test_what_does_not_fit_is_counted_and_there_is_room_again_when_some_is_taken():
    inbox = Inbox(10 * (1 + OVERHEAD) - 1)
    for _ in range(14):
        inbox.put([b"x"])
    assert (inbox.received, inbox.dropped, len(drain(inbox))) == (14, 4, 10)
    inbox.put([b"y"])
    assert (drain(inbox), inbox.dropped) == ([b"y"], 4)


T = 1_780_000_000


@pytest.mark.parametrize("idle_s", [0.1, 25, 90_000], ids=["at once", "soon", "the next day"])
@pytest.mark.parametrize("taken", [True, False], ids=["taken at once", "not taken meanwhile"])
def test_a_chunk_tells_when_its_datagrams_came(idle_s, taken):
    inbox = Inbox(1000)
    chunks = []
    for place in range(3):
        with time_machine.travel(T + place * idle_s, tick=False):
            inbox.put([b"%d" % place])
            if taken:
                chunks.append(inbox.take())
    while chunk := inbox.take():
        chunks.append(chunk)
    arrived = {word: chunk.arrived_s for chunk in chunks if chunk for word in chunk.lines.split(b"\n")}
    came = {b"%d" % place: pytest.approx(T + place * idle_s, abs=CHUNK_S) for place in range(3)}
    assert arrived == came
