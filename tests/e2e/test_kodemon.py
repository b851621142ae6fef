"""The receiver of timings as a process: real datagrams, a real database, and what goes wrong with them."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.conftest import Instance

SOON_S = 20
QUICK = {"DATABASE_WAIT": "0.2"}


def datagram(number: int = 0, **changed: Any) -> bytes:
    fields = {"execution_time": 0.001 * number, "timestamp": int(time.time()), "token": "t", "key": "f.py-f"}
    return json.dumps(fields | changed).encode()


class Kodemon:
    """A running receiver; ``end`` gives what it said last."""

    def __init__(self, instance: Instance, *words: str) -> None:
        self.instance = instance
        self.process = instance.start("kodemon", "--port", "0", *words, **QUICK)
        assert self.process.stdout
        first = self.process.stdout.readline()
        found = re.search(r":(\d+)/udp", first)
        assert found, first + self.process.communicate()[1]
        self.port = int(found[1])

    def send(self, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for raw in datagrams:
                sender.sendto(raw, ("127.0.0.1", self.port))

    def stored(self) -> int:
        return int(self.instance.value("SELECT count(*) FROM timings_sample"))

    def wait_until_stored(self, count: int) -> None:
        deadline = time.monotonic() + SOON_S
        while self.stored() < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.stored() == count

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=SOON_S)
        assert self.process.returncode == 0, out + err
        return out + err


@contextmanager
def kodemon(instance: Instance, *words: str) -> Iterator[Kodemon]:
    running = Kodemon(instance, *words)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """Nobody else can write samples meanwhile."""
    with instance.connect() as connection:
        if instance.is_sqlite:
            connection.execute("BEGIN IMMEDIATE")
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE timings_sample")
        yield
        connection.execute("ROLLBACK")


def test_every_message_is_stored_and_every_bad_one_counted(instance):
    bad = [b"", b"{", b"[]", datagram(key=7), datagram(timestamp=3), b"x" * 65_507]
    with kodemon(instance) as running:
        running.send(datagram(1), *bad, datagram(2, user="Ann"), *bad)
        running.wait_until_stored(2)
        last = running.end()
    assert "14 received, 2 stored, 12 refused" in last
    for reason in ("6 not JSON", "2 not an object", "2 key of a wrong type", "2 timestamp too old"):
        assert reason in last
    assert instance.rows("SELECT fields FROM timings_sampleextra") == [('{"user":"Ann"}',)]
    assert instance.rows("SELECT received, stored FROM timings_receiver") == [(14, 2)]


def test_what_was_received_is_stored_before_the_end(instance):
    with kodemon(instance) as running:
        running.send(*map(datagram, range(2000)))
        running.end()
        assert running.stored() == 2000


def test_while_the_database_is_locked_what_comes_is_kept(instance):
    with kodemon(instance) as running:
        running.send(datagram(1))
        running.wait_until_stored(1)
        with locked(instance):
            running.send(*map(datagram, range(3000)))
            assert running.process.stderr
            assert "is away" in running.process.stderr.readline()
        running.wait_until_stored(3001)
        assert "0 dropped" in running.end()


def test_a_second_one_on_the_same_port_says_so_in_one_line(instance):
    with kodemon(instance) as running:
        second = instance.run("kodemon", "--port", str(running.port))
        assert second.returncode == 1
        assert re.fullmatch(
            r".*UDP port \d+ of 127.0.0.1 is taken; choose another: KODEMON_PORT\n", second.stderr
        )


def test_tokens_limit_whose_messages_are_taken(instance):
    instance.settings["KODEMON_TOKENS"] = "mine,ours"
    with kodemon(instance) as running:
        running.send(datagram(token="mine"), datagram(token="theirs"), datagram(token="ours"))
        running.wait_until_stored(2)
        assert "1 refused (1 token not taken)" in running.end()


def test_messages_are_printed_where_that_is_asked_for(instance):
    with kodemon(instance, "--verbosity", "2") as running:
        running.send(datagram(250, key="shop.py-buy", timestamp=1_780_000_000, user="Ann"))
        running.wait_until_stored(1)
        assert '1780000000 shop.py-buy 0.250000 s, token t {"user":"Ann"}' in running.end()


def test_a_receiver_that_is_killed_leaves_whole_batches(instance):
    with kodemon(instance) as running:
        running.send(*map(datagram, range(500)))
        running.wait_until_stored(500)
        running.process.kill()
        running.process.communicate()
    counts = "SELECT sum(count) FROM timings_summary WHERE level = 60"
    assert instance.value(counts) == instance.value("SELECT count(*) FROM timings_sample")
