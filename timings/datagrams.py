"""Takes datagrams off a socket, on Linux many with one call (recvmmsg), elsewhere one by one.

A call for each would cost a third more, and with each the two threads of a receiver would fight for the
interpreter. Knows nothing of what the datagrams say.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import sys
import time
from collections.abc import Callable

LARGEST = 65_535
AT_ONCE = 1024
# Bytes of memory for one, of which those that no datagram has filled take none. No power of two: all would
# begin at the same few places of the processor's caches.
SLOT = 65_536 + 192
MSG_WAITFORONE = 0x10000  # wait for the first, take what is there besides

# struct iovec and struct mmsghdr of 64-bit Linux: the header's name, iov, control and flags, then the length.
PIECE = struct.Struct("@QQ")
HEADER = struct.Struct("@QQQQQQQQ")
WORDS = HEADER.size // 4
LENGTH_WORD = 14  # of the header, as 32-bit words

Take = Callable[[], list[bytes]]
"""Waits for a datagram and gives it with those behind it; BlockingIOError where none comes in time."""


def taker(receiver: socket.socket, nap_s: float = 0) -> Take:
    """The quickest way that this machine has.

    One that takes many with a call rests for ``nap_s`` after it has taken all that there was, so that the
    next call finds more.
    """
    if sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8:
        return _Many(receiver, nap_s)
    return lambda: [receiver.recv(LARGEST)]


class _Many:
    """Memory for AT_ONCE datagrams, and the kernel's description of it, made once."""

    def __init__(self, receiver: socket.socket, nap_s: float) -> None:
        self._descriptor = receiver.fileno()
        self._nap_s = nap_s
        self._took_all = False
        self._memory = mmap.mmap(-1, AT_ONCE * SLOT)
        self._starts = range(0, AT_ONCE * SLOT, SLOT)
        self._pieces = bytearray(AT_ONCE * PIECE.size)
        self._headers = bytearray(AT_ONCE * HEADER.size)
        memory, pieces = _address(self._memory), _address(self._pieces)
        for number, start in enumerate(self._starts):
            piece = number * PIECE.size
            PIECE.pack_into(self._pieces, piece, memory + start, LARGEST)
            HEADER.pack_into(self._headers, number * HEADER.size, 0, 0, pieces + piece, 1, 0, 0, 0, 0)
        self._first = ctypes.c_void_p(_address(self._headers))
        self._lengths = memoryview(self._headers).cast("I")[LENGTH_WORD::WORDS]
        self._recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg

    def __call__(self) -> list[bytes]:
        if self._took_all:
            time.sleep(self._nap_s)
        count = self._recvmmsg(self._descriptor, self._first, AT_ONCE, MSG_WAITFORONE, None)
        self._took_all = 0 < count < AT_ONCE
        if count < 0:
            number = ctypes.get_errno()
            raise OSError(
                number, os.strerror(number)
            )  # BlockingIOError and InterruptedError are some of these
        memory = self._memory
        lengths = self._lengths[:count].tolist()
        return [memory[start : start + length] for start, length in zip(self._starts, lengths, strict=False)]


def _address(memory: mmap.mmap | bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
