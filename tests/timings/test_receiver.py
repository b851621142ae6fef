"""The socket of the receiver, on loopback."""

from __future__ import annotations

import socket

import pytest

from timings.inbox import Inbox
from timings.receiver import CannotListen, bind, kernel_drops, receive, room


@pytest.fixture
def receiver():
    with bind("127.0.0.1", 0, 1 << 16) as found:
        yield found


def sent_to(receiver: socket.socket, count: int, datagram: bytes = b"x") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(datagram, receiver.getsockname())


def test_what_waits_in_the_kernel_is_received_before_the_end(receiver):
    inbox = Inbox(1 << 20)
    sent_to(receiver, 50)
    receive(receiver, inbox, stopping=lambda: True)
    assert (inbox.received, len(inbox)) == (50, 50)


def test_it_ends_when_it_is_told_though_nothing_comes(receiver):
    asked, inbox = iter([False, False, True]), Inbox(1)
    receive(receiver, inbox, stopping=lambda: next(asked))
    assert (list(asked), inbox.received) == ([], 0)


def test_the_largest_datagram_is_received_whole(receiver):
    inbox = Inbox(1 << 20)
    sent_to(receiver, 1, b"x" * 65_507)
    receive(receiver, inbox, stopping=lambda: True)
    chunk = inbox.take()
    assert chunk is not None
    assert [len(raw) for raw in chunk.lines.split(b"\n")] == [65_507]


def test_what_found_the_buffer_full_is_told_by_the_kernel(receiver):
    before = kernel_drops(receiver)
    if before is None:
        pytest.skip("this kernel does not tell")
    sent_to(receiver, 5000)
    inbox = Inbox(1 << 24)
    receive(receiver, inbox, stopping=lambda: True)
    assert before == 0
    assert inbox.received + (kernel_drops(receiver) or 0) == 5000


def test_the_room_that_the_kernel_gave_is_told(receiver):
    assert room(receiver) >= 1 << 15


def test_localhost_is_where_the_decorator_sends():
    with bind("localhost", 0, 1 << 16) as receiver:
        assert receiver.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param("127.0.0.1", "is taken", id="another one listens there"),
        pytest.param("no.such.name.invalid", "is no address of this machine", id="no such name"),
        pytest.param("192.0.2.1", "cannot listen", id="somebody else's address"),
    ],
)
def test_where_it_cannot_listen_it_says_why(receiver, host, words):
    with pytest.raises(CannotListen, match=words):
        bind(host, receiver.getsockname()[1], 1 << 16)
