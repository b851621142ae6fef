"""Taking datagrams off a socket, on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from timings.datagrams import taker
from timings.receiver import bind

SENT = [b"%d" % number for number in range(90)] + [b"", b"x" * 30_000, b"after"]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with bind("127.0.0.1", 0, 1 << 18) as found:
        found.setblocking(False)
        yield found


@pytest.mark.parametrize("nap_s", [0, 0.001], ids=["without rest", "with rests"])
def test_datagrams_are_taken_as_they_were_sent(receiver, nap_s):
    take = taker(receiver, nap_s)
    found: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for turn in (SENT[:3], SENT[3:]):
            for datagram in turn:
                sender.sendto(datagram, receiver.getsockname())
            found += take()
    assert found == SENT


@pytest.mark.parametrize("nap_s", [0, 0.001], ids=["without rest", "with rests"])
def test_where_nothing_comes_it_says_so_each_time(receiver, nap_s):
    take = taker(receiver, nap_s)
    for _ in range(2):
        with pytest.raises(BlockingIOError):
            take()
