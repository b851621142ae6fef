"""Where to and as whom: what the environment says."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.kodemon.listener import Listener

Begun = Callable[..., Any]


def nothing() -> None:
    pass


def test_without_a_word_it_is_port_4000_of_this_machine(begun: Begun) -> None:
    begun()
    from kodemon import _environment  # noqa: PLC0415 - the one that was imported just now

    assert _environment.read({}) == ("localhost", 4000, "test-token")
    assert _environment.read({"KODEMON_HOST": " ", "KODEMON_PORT": "", "KODEMON_TOKEN": ""}) == (
        "localhost",
        4000,
        "test-token",
    )


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.1", " 127.0.0.1 "])
def test_hosts_that_are_this_machine(begun: Begun, listener: Listener, host: str) -> None:
    begun(**{**listener.environment, "KODEMON_HOST": host})(nothing)()
    assert listener.keys() == ["test_environment.py-nothing"]


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_addresses_of_ipv6(begun: Begun, host: str) -> None:
    listener = Listener("::1")
    try:
        begun(**{**listener.environment, "KODEMON_HOST": host})(nothing)()
        assert listener.keys() == ["test_environment.py-nothing"]
    finally:
        listener.close()


def test_the_token_of_the_environment(begun: Begun, listener: Listener) -> None:
    kodemon = begun(**listener.environment, KODEMON_TOKEN="geheim ✓")
    kodemon(nothing)()
    kodemon(token="mine")(nothing)()
    assert [message["token"] for message in listener.arrived()] == ["geheim ✓", "mine"]


def test_a_program_can_set_the_environment_after_decorating(begun: Begun, listener: Listener) -> None:
    decorated = begun(KODEMON_PORT="1", KODEMON_TOKEN="early")(nothing)
    os.environ.update(listener.environment, KODEMON_TOKEN="late")
    decorated()
    assert listener.message()["token"] == "late"


BAD_PORTS = ["0", "-1", "65536", "4000.0", "abc", "4_000", "²", "４０００", "9" * 5_000, "4000 5000"]


@pytest.mark.parametrize("port", BAD_PORTS, ids=lambda port: port[:10])
def test_with_a_bad_port_nothing_is_sent_and_one_warning_says_so(
    begun: Begun, caplog: pytest.LogCaptureFixture, port: str
) -> None:
    kodemon = begun(KODEMON_PORT=port)
    decorated, other = kodemon(nothing), kodemon(a=1)(nothing)
    with caplog.at_level(logging.WARNING):
        for call in (decorated, decorated, other):
            call()
    [record] = caplog.records
    assert record.name == "kodemon"
    assert record.getMessage().startswith("KODEMON_PORT is not a port: ")
    assert len(record.getMessage()) < 120
