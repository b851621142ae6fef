"""The socket: made, given room, and drained as fast as datagrams come. Knows nothing of what they say."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from djamon.lib.commands import DjamonError
from timings import datagrams
from timings.inbox import Inbox

LOOK_AROUND_S = 0.2  # so often a receiver without work asks whether it shall end
LAST_DRAIN_S = 1.0
# A thread that is woken for each few datagrams costs a tenth of all. Meanwhile they wait in the kernel, where
# 2 MiB hold some 5,000 of them: more than come in that time at any rate that can be stored.
NAP_S = 0.003
ROOM_FOR_NAPS = 2 << 20  # bytes
SO_RCVBUFFORCE = 33  # Linux: beyond net.core.rmem_max, for root; the socket module does not name it


class CannotListen(DjamonError):  # noqa: N818  (says what is)
    """The address is taken, or this machine does not have it, or we may not use it."""


def bind(host: str, port: int, buffer_bytes: int) -> socket.socket:
    """A UDP socket with, if the kernel allows, that much room. Raises CannotListen, in plain words."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListen(f"{host!r} is no address of this machine: {error.strerror}") from None
    # "localhost" is both; the decorator sends to 127.0.0.1.
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    receiver = socket.socket(family, kind, protocol)
    try:
        receiver.bind(address)
    except OSError as error:
        receiver.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"UDP port {port} of {host} is taken; choose another: KODEMON_PORT") from None
        reason = os.strerror(error.errno or 0).lower()
        raise CannotListen(f"cannot listen on UDP port {port} of {host}: {reason}") from None
    _ask_for_room(receiver, buffer_bytes)
    # The kernel's own time limit: Python's would cost a poll for each datagram.
    seconds, rest = divmod(LOOK_AROUND_S, 1)
    limit = struct.pack("@ll", int(seconds), int(rest * 1_000_000))
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    return receiver


def _ask_for_room(receiver: socket.socket, buffer_bytes: int) -> None:
    for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):
        with contextlib.suppress(OSError):  # the second is for root on Linux alone
            receiver.setsockopt(socket.SOL_SOCKET, option, buffer_bytes)


def room(receiver: socket.socket) -> int:
    """Bytes of datagrams that wait in the kernel at most; Linux tells twice of what it was asked for."""
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def receive(receiver: socket.socket, inbox: Inbox, stopping: Callable[[], bool]) -> None:
    """Until ``stopping``; then also what the kernel still holds."""
    take = datagrams.taker(receiver, NAP_S if room(receiver) >= ROOM_FOR_NAPS else 0)
    put = inbox.put
    while not stopping():
        with contextlib.suppress(
            BlockingIOError, InterruptedError
        ):  # nothing came for LOOK_AROUND_S; a signal
            put(take())
    receiver.setblocking(False)
    deadline = time.monotonic() + LAST_DRAIN_S
    with contextlib.suppress(BlockingIOError):
        while time.monotonic() < deadline:
            put(take())


def kernel_drops(receiver: socket.socket) -> int | None:
    """Datagrams that found the buffer full, as the kernel counts them; None where it does not tell."""
    inode = str(os.fstat(receiver.fileno()).st_ino)
    table = Path("/proc/net/udp6" if receiver.family == socket.AF_INET6 else "/proc/net/udp")
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return None
    return next((int(words[-1]) for words in map(str.split, lines) if words[9] == inode), None)
