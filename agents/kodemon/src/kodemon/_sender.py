"""The way out of a process: sockets that never wait, and names that are looked up beside the program.

No lock anywhere: a function that is timed can be called by a signal handler or by ``__del__``, in the midst
of another's call. All that is shared is replaced in one step.
"""

from __future__ import annotations

import _thread
import codecs
import errno
import os
import socket
from collections import deque
from time import perf_counter
from typing import Any, Protocol, Tuple

# A name's addresses may change while a program runs for months.
LOOK_AGAIN_S = 60.0
# After a name that was not found; a resolver takes about as long to give up.
RETRY_S = 5.0
# What is kept while a name is looked up for the first time; the oldest are dropped.
KEPT = 256

Route = Tuple[int, Tuple[Any, ...]]
"""A family of addresses and an address of it, as ``sendto`` takes it."""

# Somebody closed all descriptors, as a daemon does at its start.
_CLOSED_BY_OTHERS = frozenset({errno.EBADF, errno.ENOTSOCK})


class Send(Protocol):
    def send(self, datagram: bytes, now: float) -> None: ...


class Nowhere:
    """In place of a sender where there is no port to send to."""

    def send(self, datagram: bytes, now: float) -> None:
        pass


class Sender:
    """Sends datagrams to one host and port, and loses what cannot be sent at once.

    The sockets are not connected: a connected one keeps the source address of its first moment, also when the
    machine has moved to another network.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: deque[bytes] = deque(maxlen=KEPT)
        self._asking = False
        self._routes = literal_routes(host, port)
        self._look_at = float("inf") if self._routes else float("-inf")
        if not self._routes:
            # What a look-up needs is imported now: a child that is forked while the other thread imports it
            # would wait for that for ever.
            codecs.lookup("idna")
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def send(self, datagram: bytes, now: float) -> None:
        """Hand a datagram to the kernel, or drop it; ``now`` is by ``perf_counter``."""
        if now >= self._look_at:
            self._ask(now)
        if self._routes:
            self._hand_over(datagram)
        else:
            self._waiting.append(datagram)

    def _hand_over(self, datagram: bytes) -> None:
        for family, address in self._routes:
            try:
                (self._sockets.get(family) or self._open(family)).sendto(datagram, address)
            except OSError as error:
                if error.errno in _CLOSED_BY_OTHERS:
                    self._forget(family)
            else:
                return

    def _open(self, family: int) -> socket.socket:
        made = _QuietSocket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        # Of two threads that come here together one wins; the other's socket closes itself.
        return self._sockets.setdefault(family, made)

    def _forget(self, family: int) -> None:
        """Let a socket go whose number is no longer ours to close."""
        lost = self._sockets.pop(family, None)
        if lost is not None:
            lost.detach()

    def _ask(self, now: float) -> None:
        if self._asking:
            return
        self._asking = True
        self._look_at = now + RETRY_S
        try:
            # Not threading.Thread: its start() waits for the thread, for ever where the interpreter ends.
            _thread.start_new_thread(self._look_up, ())
        except RuntimeError:  # no more threads, or no more interpreter
            self._asking = False

    def _look_up(self) -> None:
        """In a thread of its own: find the addresses of the name, then send what has waited for them."""
        try:
            self._routes = found_routes(self._host, self._port)
            self._look_at = perf_counter() + LOOK_AGAIN_S
            while self._waiting:
                self._hand_over(self._waiting.popleft())
        except Exception:  # noqa: BLE001, S110 - no such name, or an interpreter that ends: old routes stay
            pass
        finally:
            self._asking = False

    def _begin_anew(self) -> None:
        """In a forked child: its parent's sockets go before a daemon's start closes all numbers.

        What waits is the parent's to send, and its thread has stayed there.
        """
        inherited, self._sockets = self._sockets, {}
        for one in inherited.values():
            one.close()
        self._waiting = deque(maxlen=KEPT)
        self._asking = False
        if not self._routes:
            self._look_at = float("-inf")


class _QuietSocket(socket.socket):
    """Closes itself without a ResourceWarning: it lives as long as the process, whose end it is not told."""

    def __del__(self) -> None:
        if self.fileno() != -1:  # otherwise it was never made: there was no descriptor left
            self.close()


def literal_routes(host: str, port: int) -> tuple[Route, ...]:
    """Where a host leads that need not be looked up; empty for any other name.

    localhost is 127.0.0.1, where Djamon listens, whatever the machine calls so; ::1 where there is no IPv4.
    """
    if host.lower() in {"localhost", "localhost."}:
        return (socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return ((family, (host, port)),)
    return ()


def found_routes(host: str, port: int) -> tuple[Route, ...]:
    """Where a name leads, IPv4 first: a datagram's sender never learns that nobody listens on the other.

    May take as long as the machine's resolver; raises OSError and ValueError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    routes = ((int(family), address) for family, _, _, _, address in found)
    return tuple(sorted(routes, key=lambda route: route[0] != socket.AF_INET))
