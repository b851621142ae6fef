"""Sockets that are watched, on real ones."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from monitor.probe.sockets import READ, WRITE, Sockets

LONG_S = 5.0


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with closing(Sockets()) as found:
        yield found


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("wanted", "sent", "told"),
    [
        (READ, b"", 0),
        (READ, b"x", READ),
        (WRITE, b"", WRITE),
        (WRITE, b"x", WRITE),
        (READ | WRITE, b"", WRITE),
        (READ | WRITE, b"x", READ | WRITE),
    ],
)
def test_who_watches_is_told_what_a_socket_is_ready_for_of_what_is_wanted(sockets, pair, wanted, sent, told):
    ours, theirs = pair
    theirs.send(sent)
    heard: list[tuple[int, int]] = []
    sockets.watch(ours.fileno(), wanted, lambda fd, events: heard.append((fd, events)))
    assert sockets.serve(0) == len(heard)
    assert heard == ([(ours.fileno(), told)] if told else [])


@pytest.mark.parametrize("wanted", [READ, WRITE, READ | WRITE])
def test_an_end_is_told_to_whoever_waits_for_anything(sockets, pair, wanted):
    ours, theirs = pair
    theirs.close()
    heard: list[int] = []
    sockets.watch(ours.fileno(), wanted, lambda _fd, events: heard.append(events))
    sockets.serve(LONG_S)
    assert heard == [wanted]


def test_the_last_wish_counts(sockets, pair):
    heard: list[str] = []
    sockets.watch(pair[0].fileno(), WRITE, lambda *_: heard.append("first"))
    sockets.watch(pair[0].fileno(), READ, lambda *_: heard.append("second"))
    assert (sockets.serve(0), heard) == (0, [])
    pair[1].send(b"x")
    assert (sockets.serve(LONG_S), heard) == (1, ["second"])


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed before"])
def test_what_is_forgotten_is_told_no_more(sockets, pair, closed):
    fd = pair[0].fileno()
    sockets.watch(fd, WRITE, lambda *_: pytest.fail("told"))
    if closed:
        pair[0].close()
    sockets.forget(fd)
    sockets.forget(fd)
    assert sockets.serve(0) == 0


def test_one_that_is_told_may_have_the_next_forgotten(sockets):
    pairs = [socket.socketpair() for _ in range(2)]
    descriptors = [ours.fileno() for ours, _ in pairs]
    heard: list[int] = []

    def told(fd: int, events: int) -> None:
        if events:
            heard.append(fd)
        for other in descriptors:
            sockets.forget(other)

    for fd in descriptors:
        sockets.watch(fd, WRITE, told)
    assert sockets.serve(LONG_S) == 2
    assert len(heard) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_a_descriptor_that_was_closed_without_a_word_may_be_another_socket(sockets, pair):
    ours, theirs = pair
    fd = ours.fileno()
    sockets.watch(fd, WRITE, lambda *_: pytest.fail("told"))
    with socket.socket() as spare:
        os.dup2(spare.fileno(), fd)  # closes the first, which its file no longer holds open elsewhere
    heard: list[int] = []
    sockets.watch(fd, READ, lambda _fd, events: heard.append(events))
    theirs.close()
    sockets.serve(LONG_S)
    assert heard == [READ]


def test_without_anything_ready_it_waits_no_longer_than_it_was_told(sockets):
    assert sockets.serve(0.001) == 0
