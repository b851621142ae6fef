"""Looks names up, apart from the probes and under a limit of its own; honours /etc/hosts as the system does.

Lives in the engine's one thread and selector: c-ares would rather have a thread of its own, but each answer
would then wait for the interpreter's lock, and that wait would stand in the stored times.
"""

from __future__ import annotations

import math
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pycares

from monitor.probe.limits import descriptor_left
from monitor.probe.names import Lookup, Said, settled_at, together

MAX_ADDRESSES = 8  # of each family: one name may carry thousands, and libcurl would try them one by one
FIRST_TRY_S = 1.0  # after which c-ares asks again: a datagram may get lost
SHORTEST_TRY_S = 0.25  # to which c-ares shortens it where a server has been quick before

SAID = {
    None: Said.ADDRESSES,
    pycares.errno.ARES_ENOTFOUND: Said.NO_SUCH_NAME,
    pycares.errno.ARES_EBADNAME: Said.NO_SUCH_NAME,
    pycares.errno.ARES_ENODATA: Said.NO_ADDRESS,
    pycares.errno.ARES_ESERVFAIL: Said.SERVER_FAILED,
    pycares.errno.ARES_ENOTIMP: Said.SERVER_FAILED,
    pycares.errno.ARES_EFORMERR: Said.SERVER_FAILED,
    pycares.errno.ARES_EBADRESP: Said.SERVER_FAILED,
    pycares.errno.ARES_EREFUSED: Said.REFUSED,
    pycares.errno.ARES_ETIMEOUT: Said.NOTHING,
}
PROOF = {Said.ADDRESSES, Said.NO_SUCH_NAME, Said.NO_ADDRESS}  # what only a working name server says


@dataclass(eq=False, slots=True)
class _Open:
    """A look-up under way; ``over_at`` moves forward as answers come."""

    name: str
    started: float
    deadline: float
    over_at: float
    said: dict[int, Said] = field(default_factory=dict)
    addresses: dict[int, tuple[str, ...]] = field(default_factory=dict)


class Resolver:
    """``ask`` names, call ``tick`` when ``due`` and after events, take ``finished``.

    ``server_works`` turns true with the first real answer, also to the question about the root that goes with
    the first name: so a single site whose own name servers are dead is told from a dead name server of ours.
    """

    def __init__(
        self, selector: selectors.BaseSelector, limit_s: float, name_servers: Sequence[str] = ()
    ) -> None:
        self.finished: list[Lookup] = []
        self.server_works = False
        self._selector = selector
        self._limit_s = limit_s
        self._servers = name_servers
        self._channel: pycares.Channel | None = None
        self._open: dict[str, _Open] = {}
        self._graces: deque[_Open] = deque()  # one family has answered; in order of their ends
        self._ares_due = math.inf
        self._submitting = False
        self._closed = False

    @property
    def in_flight(self) -> int:
        return len(self._open)

    def ask(self, name: str) -> None:
        """Begin to look up one name, in lower case; its Lookup comes into ``finished``, within the limit."""
        now = time.monotonic()
        if name == "invalid" or name.endswith(".invalid"):  # RFC 6761, 6.4: never asked
            self.finished.append(Lookup(name, Said.NO_SUCH_NAME))
            return
        deadline = now + self._limit_s
        lookup = self._open[name] = _Open(name, now, deadline, deadline)
        channel = self._channel or self._open_channel()
        self._submitting = True
        for family in (socket.AF_INET6, socket.AF_INET):
            answered = partial(self._on_answer, lookup, family)
            channel.getaddrinfo(name, None, family=family, type=socket.SOCK_STREAM, callback=answered)
        self._submitting = False
        self._note_due()

    def due(self) -> float:
        """The monotonic time of the next ``tick``; infinite where nothing is under way."""
        if not self._open:
            return math.inf
        first = next(iter(self._open.values())).deadline  # all have the same limit: the oldest ends first
        return min(first, self._ares_due, self._graces[0].over_at if self._graces else math.inf)

    def tick(self) -> None:
        """Let c-ares repeat its questions and end what is over."""
        now = time.monotonic()
        if self._channel is not None and now >= self._ares_due:
            self._process(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        while self._graces and self._graces[0].over_at <= now:
            self._finish(self._graces.popleft(), now)
        while self._open and (oldest := next(iter(self._open.values()))).deadline <= now:
            self._finish(oldest, now)

    def close(self) -> None:
        channel, self._channel = self._channel, None
        self._closed = True
        self._open.clear()
        if channel is not None:
            channel.cancel()
            channel.close()

    def _open_channel(self) -> pycares.Channel:
        tries = math.ceil(math.log2(self._limit_s / SHORTEST_TRY_S + 1))  # each lasts twice the one before
        self._channel = channel = pycares.Channel(
            timeout=min(FIRST_TRY_S, self._limit_s / 2),
            tries=max(2, tries),
            servers=list(self._servers) or None,
            sock_state_cb=self._on_socket,
        )
        channel.query(".", pycares.QUERY_TYPE_NS, callback=lambda _, error: self._note_proof(_said(error)))
        return channel

    # --- What c-ares calls -----------------------------------------------------------------------
    def _on_socket(self, fd: int, readable: bool, writable: bool) -> None:
        if self._closed:  # pycares takes a channel down in a thread of its own
            return
        events = (selectors.EVENT_READ if readable else 0) | (selectors.EVENT_WRITE if writable else 0)
        with suppress(KeyError):
            self._selector.unregister(fd)
        if events:
            self._selector.register(fd, events, self._on_ready)

    def _on_ready(self, fd: int, events: int) -> None:
        bad = pycares.ARES_SOCKET_BAD
        self._process(
            fd if events & selectors.EVENT_READ else bad, fd if events & selectors.EVENT_WRITE else bad
        )

    def _on_answer(self, lookup: _Open, family: int, result: Any, error: int | None) -> None:
        if self._open.get(lookup.name) is not lookup:  # over already
            return
        now = time.monotonic()
        said = lookup.said[family] = Said.UNASKED if self._could_not_ask(error) else _said(error)
        self._note_proof(said)
        if said is Said.ADDRESSES:
            lookup.addresses[family] = _addresses(result)
        lookup.over_at = settled_at(lookup.said.values(), now, lookup.deadline)
        if lookup.over_at <= now:
            self._finish(lookup, now)
        elif said is Said.ADDRESSES:
            self._graces.append(lookup)

    def _could_not_ask(self, error: int | None) -> bool:
        """Whether we had no socket for the question. c-ares tells it by the word for a server that refuses
        connections, which may also be said of the last of several servers: by then one was asked.
        """
        return error not in SAID and (self._submitting or not descriptor_left())

    def _note_proof(self, said: Said) -> None:
        # What comes back while the question is still being put was read from /etc/hosts.
        self.server_works = self.server_works or (said in PROOF and not self._submitting)

    # --- Ours ------------------------------------------------------------------------------------
    def _process(self, read_fd: int, write_fd: int) -> None:
        if self._channel is not None:
            self._channel.process_fd(read_fd, write_fd)
            self._note_due()

    def _note_due(self) -> None:
        if self._channel is not None:
            patience_s: float = self._channel.timeout(self._limit_s)  # type: ignore[no-untyped-call]
            self._ares_due = time.monotonic() + patience_s

    def _finish(self, lookup: _Open, now: float) -> None:
        if self._open.pop(lookup.name, None) is None:
            return
        v6, v4 = (lookup.addresses.get(family, ()) for family in (socket.AF_INET6, socket.AF_INET))
        ms = (now - lookup.started) * 1000
        self.finished.append(Lookup(lookup.name, together(lookup.said.values()), v6 + v4, ms))


def _said(error: int | None) -> Said:
    return SAID.get(error, Said.NOTHING)


def _addresses(result: Any) -> tuple[str, ...]:
    texts = (node.addr[0] for node in result.nodes[:MAX_ADDRESSES])
    return tuple(text.decode() if isinstance(text, bytes) else text for text in texts)
