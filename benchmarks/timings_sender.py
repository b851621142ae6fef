"""One sender of datagrams at an even rate, as a program of its own.

Each message is a datagram. Made beforehand in three pieces, of which the middle one is the time and the same
memory for all, so that sending is all that happens meanwhile: as many as are due, each PACE_S. The kernel
gets up to AT_ONCE of one length in one call and makes a datagram of each (UDP_SEGMENT, Linux 4.18): with a
call for each, or sendmmsg, the sender and not who receives would be the limit.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from random import Random

KEYS = 100
POOL = 20_000  # different messages, sent again and again
LAPS = 100  # how often a second: two digits
PACE_S = 0.0005
LATE_S = 0.005
AT_ONCE = 64  # as many as the kernel takes
UDP_SEGMENT = 103  # of <linux/udp.h>

PIECES = 3
Pieces = tuple[str, str]  # what stands before the time and after it


@dataclass(frozen=True, slots=True)
class Sent:
    """``core``: the share of its core that the sender used."""

    messages: int
    seconds: float
    core: float


class _Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    """struct msghdr of Linux, 64 bits."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("pieces", ctypes.c_void_p),
        ("pieces_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


CONTROL = struct.Struct("@QiiHxxxxxx")  # struct cmsghdr: its size, level and type; then the segment's size
CONTROL_SIZE = 18


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
    """The messages in memory, as the kernel takes them, by length: those of a call have the same."""

    def __init__(self, pieces: Sequence[Pieces], time_size: int) -> None:
        self._clock = ctypes.create_string_buffer(12)
        encoded = sorted(((before.encode(), after.encode()) for before, after in pieces), key=_length)
        self._kept = encoded
        self._parts = (_Piece * (PIECES * len(pieces)))()
        for number, (before, after) in enumerate(encoded):
            self._parts[PIECES * number] = _Piece(_address(before), len(before))
            self._parts[PIECES * number + 1] = _Piece(ctypes.addressof(self._clock), time_size)
            self._parts[PIECES * number + 2] = _Piece(_address(after), len(after))
        self._ends: list[int] = []  # for each message, where those of its length end
        for _, alike in groupby(encoded, key=_length):
            count = len(list(alike))
            self._ends += [len(self._ends) + count] * count
        self._sizes = [_length(pair) + time_size for pair in encoded]
        self._control = ctypes.create_string_buffer(CONTROL.size)
        self._header = _Header(control=ctypes.addressof(self._control), control_size=CONTROL.size)
        self._sendmsg = ctypes.CDLL(None, use_errno=True).sendmsg

    def tell_time(self, lap: int) -> None:
        """What all messages say from here on: the second, and two digits of a lap."""
        self._clock.raw = b"%010d%02d" % (int(time.time()), lap % LAPS)

    def send(self, descriptor: int, place: int, count: int) -> None:
        at, end = place, place + count
        first, header = ctypes.addressof(self._parts), ctypes.byref(self._header)
        while at < end:
            together = min(AT_ONCE, end - at, self._ends[at] - at)
            CONTROL.pack_into(
                self._control, 0, CONTROL_SIZE, socket.IPPROTO_UDP, UDP_SEGMENT, self._sizes[at]
            )
            self._header.pieces = first + PIECES * at * ctypes.sizeof(_Piece)
            self._header.pieces_count = PIECES * together
            if self._sendmsg(descriptor, header, 0) < 0:
                raise SystemExit(f"bench: the sender: {os.strerror(ctypes.get_errno())}")
            at += together


def _length(pair: tuple[bytes, bytes]) -> int:
    return len(pair[0]) + len(pair[1])


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
