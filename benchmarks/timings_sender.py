"""One sender of datagrams at an even rate, as a program of its own.

Each message is a datagram. Made beforehand in three pieces, of which the middle one is the time and the same
memory for all, so that sending is all that happens meanwhile: a dozen at a time by sendmmsg, as many as are
due, each PACE_S.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from random import Random

KEYS = 100
POOL = 20_000  # different messages, sent again and again
LAPS = 100  # how often a second: two digits
PACE_S = 0.0005
LATE_S = 0.005
AT_ONCE = 64

Pieces = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """``core``: the share of its core that the sender used."""

    messages: int
    seconds: float
    core: float


class _Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr of Linux, 64 bits."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("pieces", ctypes.c_void_p),
        ("pieces_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("sent", ctypes.c_uint),
        ("more_padding", ctypes.c_int),
    ]


def kodemon(_number: int, key: str, seconds: float) -> Pieces:
    """What agents/kodemon sends."""
    return f'{{"key":"{key}","token":"test-token","timestamp":', f',"execution_time":{seconds!r}}}'


def influxdb(number: int, key: str, seconds: float) -> Pieces:
    """A line of its protocol. Of two points of a series and nanosecond it keeps one: each has its own."""
    return f"timings,key={key},token=test-token execution_time={seconds!r} ", f"{number:07d}"


def carbon(_number: int, key: str, seconds: float) -> Pieces:
    """A line of its protocol; dots would make folders."""
    return f"timings.{key.replace('.', '_')} {seconds!r} ", "\n"


PROTOCOLS = {"kodemon": (kodemon, 10), "influxdb": (influxdb, 12), "carbon": (carbon, 10)}


def messages(protocol: str) -> Iterator[Pieces]:
    make, _ = PROTOCOLS[protocol]
    chance = Random(1)
    for number in range(POOL):
        yield make(number, f"shop.py-function_{number % KEYS:02}", chance.lognormvariate(-5, 1))


class Pool:
    """The messages in memory, as the kernel takes them."""

    def __init__(self, pieces: Sequence[Pieces], time_size: int) -> None:
        self._clock = ctypes.create_string_buffer(12)
        self._kept = [part.encode() for pair in pieces for part in pair]
        parts = (_Piece * (3 * len(pieces)))()
        self._messages = (_Message * len(pieces))()
        self._parts = parts
        for number in range(len(pieces)):
            before, after = self._kept[2 * number : 2 * number + 2]
            for place, (base, size) in enumerate(
                (
                    (_address(before), len(before)),
                    (ctypes.addressof(self._clock), time_size),
                    (_address(after), len(after)),
                )
            ):
                parts[3 * number + place] = _Piece(base, size)
            self._messages[number].pieces = ctypes.addressof(parts) + 3 * number * ctypes.sizeof(_Piece)
            self._messages[number].pieces_count = 3
        self._first = ctypes.addressof(self._messages)
        self._send = ctypes.CDLL(None, use_errno=True).sendmmsg

    def tell_time(self, lap: int) -> None:
        """What all messages say from here on: the second, and two digits of a lap."""
        self._clock.raw = b"%010d%02d" % (int(time.time()), lap % LAPS)

    def send(self, descriptor: int, place: int, count: int) -> None:
        at, end = place, place + count
        while at < end:
            address = self._first + at * ctypes.sizeof(_Message)
            sent = self._send(descriptor, ctypes.c_void_p(address), min(AT_ONCE, end - at), 0)
            if sent < 0:
                raise SystemExit(f"bench: the sender: {os.strerror(ctypes.get_errno())}")
            at += sent


def _address(data: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def send(pool: Pool, port: int, rate: float, seconds: float) -> Sent:
    """``rate`` messages a second, whatever becomes of them. If it was kept from it for longer than LATE_S, it
    goes on from there: nobody is to be measured by the flood that would make up for it.
    """
    wanted, done, lost_s = int(rate * seconds), 0, 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        descriptor = sender.fileno()
        cpu_begin, begin = time.process_time(), time.perf_counter()
        while done < wanted:
            due_s = time.perf_counter() - begin - lost_s
            late_s = due_s - done / rate
            if late_s > LATE_S:
                lost_s, due_s = lost_s + late_s - LATE_S, done / rate + LATE_S
            due = min(int(due_s * rate), wanted) - done
            while due > 0:
                pool.tell_time(done // POOL)
                count = min(due, POOL - done % POOL)
                pool.send(descriptor, done % POOL, count)
                done, due = done + count, due - count
            rest_s = done / rate + PACE_S - (time.perf_counter() - begin - lost_s)
            if rest_s > 0:
                time.sleep(rest_s)
        took = time.perf_counter() - begin
        core = (time.process_time() - cpu_begin) / took
    return Sent(done, took, core)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=PROTOCOLS)
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    words = parser.parse_args()
    pool = Pool(list(messages(words.protocol)), PROTOCOLS[words.protocol][1])
    json.dump(asdict(send(pool, words.port, words.rate, words.seconds)), sys.stdout)


if __name__ == "__main__":
    main()
