"""The receiver of timings under faults: whatever came is stored, or counted as refused or dropped.

What a single datagram may hold is in tests/timings/test_wire.py, shorter faults in tests/e2e/test_kodemon.py.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from benchmarks import machine
from tests.e2e.conftest import SERVER, Instance
from tests.e2e.test_kodemon import Kodemon, datagram, kodemon, locked
from tests.faults.limits import FULL, GONE_S, LOCKED_S, NO_TMPFS
from tests.faults.proxy import Proxy

RATE = 10_000  # messages a second
TICK_S = 0.01
SOON_S = 60.0
RANDOM = 2_000_000 if FULL else 2_000  # a minute's worth
NEW_KEYS = 1_000_000 if FULL else 3_000
MOST_MIB = 200  # of the whole process, its queue full
FIGURES = (
    "SELECT received, stored, queue_full, kernel_drops, queued FROM timings_receiver ORDER BY id DESC LIMIT 1"
)
LAST_WORDS = re.compile(r"([\d,]+) received, ([\d,]+) stored, ([\d,]+) refused.*?([\d,]+) dropped")


class Counted(NamedTuple):
    """What a receiver said at its end."""

    received: int
    stored: int
    refused: int
    dropped: int


def end(running: Kodemon) -> Counted:
    """End it; what it says adds up, also in its row, and is what is found in the database."""
    found = LAST_WORDS.search(running.end())
    assert found
    counted = Counted(*(int(number.replace(",", "")) for number in found.groups()))
    assert counted.received == counted.stored + counted.refused + counted.dropped
    assert running.stored() == counted.stored
    [(received, stored, queue_full, _drops, queued)] = running.instance.rows(FIGURES)
    assert (received, stored, queue_full, queued) == (counted.received, counted.stored, counted.dropped, 0)
    summed = running.instance.value("SELECT SUM(count) FROM timings_summary WHERE level = 60")
    assert (summed or 0) == counted.stored
    return counted


def kernel_drops(running: Kodemon) -> int:
    """What the kernel had no room for, by its own count, while the socket is open."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(words[-1]) for words in lines if words[1].endswith(f":{running.port:04X}"))


class Flow(threading.Thread):
    """Sends RATE messages a second from a thread of its own, until ``stop``; ``sent`` counts them."""

    def __init__(self, running: Kodemon, keys: int = 20, size: int = 0) -> None:
        super().__init__(daemon=True)
        more = {"more": "x" * size} if size else {}
        self.messages = [datagram(number, key=f"f-{number % keys}", **more) for number in range(100)]
        self.port, self.sent = running.port, 0
        self.stopping = threading.Event()

    def run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self.stopping.wait(TICK_S):
                for raw in self.messages:
                    sender.sendto(raw, ("127.0.0.1", self.port))
                    self.sent += 1

    def stop(self) -> int:
        self.stopping.set()
        self.join()
        return self.sent


@contextmanager
def flow(running: Kodemon, **options: int) -> Iterator[Flow]:
    sending = Flow(running, **options)
    sending.start()
    try:
        yield sending
    finally:
        sending.stop()


def wait_until_some(running: Kodemon) -> None:
    deadline = time.monotonic() + SOON_S
    while not running.stored() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.stored()


# --- The database --------------------------------------------------------------------------------
def test_while_the_database_is_locked_nothing_that_the_queue_holds_is_lost(instance) -> None:
    with kodemon(instance) as running:
        with flow(running) as sending:
            wait_until_some(running)
            with locked(instance):
                time.sleep(LOCKED_S)  # the fault itself
        lost = kernel_drops(running)
        counted = end(running)
    assert counted == (sending.sent - lost, sending.sent - lost, 0, 0)


def test_what_does_not_fit_into_the_queue_is_counted_to_the_last(instance) -> None:
    instance.settings["KODEMON_QUEUE_BYTES"] = str(1 << 20)
    with kodemon(instance) as running:
        with flow(running, size=500) as sending:
            wait_until_some(running)
            with locked(instance):
                time.sleep(LOCKED_S)  # the fault itself
        lost = kernel_drops(running)
        assert machine.peak_mib(running.process.pid) < MOST_MIB
        counted = end(running)
    assert (counted.received, counted.refused) == (sending.sent - lost, 0)
    assert counted.dropped > 0


def through(proxy: Proxy, instance: Instance) -> Instance:
    parts = urlsplit(instance.database_url)
    address = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
    return Instance(instance.folder, urlunsplit(parts._replace(netloc=address)), instance.settings)


postgresql_alone = pytest.mark.skipif(not SERVER, reason="a file has no server; runs on PostgreSQL")


@postgresql_alone
def test_while_the_server_is_gone_nothing_that_the_queue_holds_is_lost(instance, proxy) -> None:
    with kodemon(through(proxy, instance)) as running:
        running.instance = instance
        with flow(running) as sending:
            wait_until_some(running)
            proxy.cut()
            time.sleep(GONE_S)  # the fault itself
            proxy.mend()
        lost = kernel_drops(running)
        counted = end(running)
    assert counted == (sending.sent - lost, sending.sent - lost, 0, 0)


@postgresql_alone
def test_while_the_server_takes_no_writes_nothing_is_lost(instance) -> None:
    name = urlsplit(instance.database_url).path[1:]
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    def allow(writes: bool) -> None:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {not writes}")
            connection.execute(sql, [name])

    with kodemon(instance) as running:
        running.send(datagram(1))
        running.wait_until_stored(1)
        allow(False)
        running.send(*map(datagram, range(500)))
        assert running.process.stderr
        assert "is away" in running.process.stderr.readline()
        allow(True)
        running.wait_until_stored(501)
        assert end(running) == (501, 501, 0, 0)


@pytest.mark.skipif(bool(SERVER), reason="the server's disk is not ours to fill; runs on SQLite")
@pytest.mark.skipif(bool(NO_TMPFS), reason=NO_TMPFS)
def test_while_the_disk_is_full_what_comes_is_kept_till_there_is_room(instance, small_disk) -> None:
    shutil.copy(instance.sqlite_path, small_disk / "db.sqlite3")
    instance.database_url = f"sqlite:///{small_disk / 'db.sqlite3'}"
    ballast = small_disk / "ballast"
    with kodemon(instance) as running:
        running.send(datagram(1))
        running.wait_until_stored(1)
        with suppress(OSError), ballast.open("wb", buffering=0) as file:  # until no space is left
            while True:
                file.write(b"x" * 4096)
        running.send(*map(datagram, range(3000)))
        assert running.process.stderr
        assert "is away" in running.process.stderr.readline()
        ballast.unlink()
        running.wait_until_stored(3001)
        assert end(running) == (3001, 3001, 0, 0)


# --- What comes ----------------------------------------------------------------------------------
def test_random_bytes_are_refused_one_by_one_and_the_receiver_lives_on(instance) -> None:
    chance = random.Random(5)
    good, noise = datagram(1), [chance.randbytes(chance.choice((0, 1, 40, 1400))) for _ in range(500)]
    cut = [good[: chance.randrange(len(good))] + chance.randbytes(3) for _ in range(500)]
    with kodemon(instance) as running:
        for _ in range(RANDOM // 1000):
            running.send(*noise, *cut)
            time.sleep(TICK_S)  # a pace that the kernel's default room stands, too
        running.send(good)
        running.wait_until_stored(1)
        lost = kernel_drops(running)
        counted = end(running)
    sent = RANDOM // 1000 * 1000
    assert counted == (sent + 1 - lost, 1, sent - lost, 0)


def test_the_largest_datagrams_are_stored_whole(instance) -> None:
    room = 65_507 - len(datagram(1, more=""))
    largest = datagram(1, more="x" * room)
    assert len(largest) == 65_507
    with kodemon(instance) as running:
        for count in range(1, 5):
            running.send(largest)
            running.wait_until_stored(count)
        end(running)
    assert instance.value("SELECT MIN(LENGTH(fields)) FROM timings_sampleextra") == room + len('{"more":""}')


def test_new_keys_beyond_the_limit_are_refused_to_the_last_and_old_ones_go_on(instance) -> None:
    instance.settings["TIMINGS_MAX_KEYS"] = "50"
    old = [datagram(1, key=f"old-{number}") for number in range(50)]
    with kodemon(instance) as running:
        running.send(*old)
        running.wait_until_stored(50)
        before_mib = machine.rss_mib(running.process.pid)
        for first in range(0, NEW_KEYS, 1000):
            running.send(*[datagram(1, key=f"new-{first + number}") for number in range(1000)])
            time.sleep(TICK_S)  # as above
        running.send(*old)
        running.wait_until_stored(100)
        lost = kernel_drops(running)
        grown_mib = machine.rss_mib(running.process.pid) - before_mib
        assert end(running) == (NEW_KEYS + 100 - lost, 100, NEW_KEYS - lost, 0)
    assert instance.value("SELECT COUNT(*) FROM timings_series") == 50
    assert grown_mib < MOST_MIB


KEYS = [
    "a/b/c",
    "  two words ",
    "Grüße-漢字-🙂",
    "<script>alert(1)</script>",
    "k" * 500,
    "\\ \" ' %s ; --",
    "\u202e",
]


def test_keys_are_kept_as_they_are(instance) -> None:
    with kodemon(instance) as running:
        running.send(*[datagram(1, key=key) for key in KEYS], datagram(1, key="k" * 10_000))
        running.wait_until_stored(len(KEYS))
        assert "1 key out of bounds" in running.end()
    assert {key for (key,) in instance.rows("SELECT key FROM timings_series")} == set(KEYS)
