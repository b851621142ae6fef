"""A channel to real name servers: what each question brings, and what it leaves behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from monitor.probe.channel import MAX_ADDRESSES, Answer, Channel
from monitor.probe.names import Said
from monitor.probe.sockets import Sockets
from tests.monitor.servers import SERVFAIL, A, name_server
from tests.monitor.servers import Answer as Reply

LIMIT_S = 2.0
NO_WAY = "255.255.255.255"  # a socket that may not broadcast cannot be connected to it


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with closing(Sockets()) as found:
        yield found


def turn_until(sockets: Sockets, channel: Channel, answers: list[Answer], count: int) -> None:
    end = time.monotonic() + 2 * LIMIT_S
    while len(answers) < count and time.monotonic() < end:
        sockets.serve(max(0, min(channel.due, end) - time.monotonic()))
        channel.tick(time.monotonic())


def test_addresses_are_told_but_never_thousands(sockets) -> None:
    answers: list[Answer] = []
    with name_server(lambda _name, _kind: Reply(tuple(f"127.0.1.{n}" for n in range(1, 20)))) as server:
        channel = Channel(sockets, LIMIT_S, [server.address])
        channel.ask("a.example", socket.AF_INET, answers.append)
        turn_until(sockets, channel, answers, 1)
        channel.close()
    assert [(one.said, len(one.addresses), one.proves) for one in answers] == [
        (Said.ADDRESSES, MAX_ADDRESSES, True)
    ]


def test_the_hosts_file_answers_at_once_and_proves_no_name_server(sockets) -> None:
    answers: list[Answer] = []
    channel = Channel(sockets, LIMIT_S, [NO_WAY])
    channel.ask("localhost", socket.AF_INET, answers.append)
    channel.close()
    assert answers == [Answer(Said.ADDRESSES, ("127.0.0.1",), proves=False)]


@pytest.mark.parametrize(
    ("reply", "proves"), [(Reply(), True), (Reply(code=SERVFAIL), False)], ids=["known", "failed"]
)
def test_the_question_about_the_root_proves_a_server_that_answers_it(sockets, reply, proves) -> None:
    answers: list[Answer] = []
    with name_server(lambda _name, _kind: reply) as server:
        channel = Channel(sockets, LIMIT_S, [server.address])
        channel.ask_for_root(answers.append)
        turn_until(sockets, channel, answers, 1)
        channel.close()
    assert [one.proves for one in answers] == [proves]


def test_without_a_way_to_the_server_both_kinds_of_question_come_to_nothing(sockets) -> None:
    answers: list[Answer] = []
    channel = Channel(sockets, LIMIT_S, [NO_WAY])
    channel.ask_for_root(answers.append)
    channel.ask("a.example", socket.AF_INET, answers.append)
    turn_until(sockets, channel, answers, 2)
    channel.close()
    assert len(answers) == 2
    assert not any(one.proves or one.addresses for one in answers)


def test_a_channel_that_is_closed_leaves_no_socket_behind(sockets) -> None:
    answers: list[Answer] = []
    with name_server(lambda _name, kind: None if kind == A else Reply()) as server:
        channel = Channel(sockets, LIMIT_S, [server.address])
        channel.ask("a.example", socket.AF_INET, answers.append)
        assert len(sockets) == 1
        channel.close()
    assert [one.said for one in answers] == [Said.NOTHING]
    assert len(sockets) == 0
