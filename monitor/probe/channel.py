"""A c-ares channel in the engine's one thread: puts questions, tells what each brought.

c-ares would rather have a thread of its own, but each answer would then wait for the interpreter's lock, and
that wait would stand in the stored times.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import SOCK_STREAM, AddressFamily
from typing import Any, NamedTuple

import pycares

from monitor.probe.limits import descriptor_left
from monitor.probe.names import PROOF, Said
from monitor.probe.sockets import READ, WRITE, Sockets

MAX_ADDRESSES = 8  # of each family: one name may carry thousands, and libcurl would try them one by one
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
    pycares.errno.ARES_ECANCELLED: Said.NOTHING,  # by close(): nobody waits for it any more
}


class Answer(NamedTuple):
    """What a question brought; ``proves``: whether only a name server that works says so."""

    said: Said
    addresses: tuple[str, ...]
    proves: bool


OnAnswer = Callable[[Answer], object]


class Channel:
    """``ask``; call ``tick`` when ``due``; ``close``, but not from within an answer."""

    def __init__(
        self,
        sockets: Sockets,
        limit_s: float,
        servers: Sequence[str] = (),
        *,
        try_s: float | None = None,
        tries: int = 1,
    ) -> None:
        """``servers``: none for those of this machine. Each try may last ``try_s``, or up to ``limit_s``."""
        self.due = math.inf  # monotonic
        self._sockets = sockets
        self._limit_s = limit_s
        self._asking = False
        self._closed = False
        self._ares = pycares.Channel(
            timeout=try_s or limit_s,
            tries=tries,
            servers=list(servers) or None,
            sock_state_cb=self._on_socket,
        )

    @property
    def servers(self) -> list[str]:
        return self._ares.servers

    def ask(self, name: str, family: AddressFamily, on_answer: OnAnswer) -> None:
        """Ask for the addresses of a name; what stands in /etc/hosts is answered at once."""

        def answered(result: Any, error: int | None) -> None:
            on_answer(self._answer(result, error))

        self._asking = True
        self._ares.getaddrinfo(name, None, family=family, type=SOCK_STREAM, callback=answered)
        self._asking = False
        self._note_due()

    def ask_for_root(self, on_answer: OnAnswer) -> None:
        """What every name server knows."""

        def answered(_result: Any, error: int | None) -> None:
            on_answer(self._answer(None, error))

        self._asking = True
        with suppress(pycares.AresError):  # of a question that could not be sent; it is answered, too
            self._ares.query(".", pycares.QUERY_TYPE_NS, callback=answered)
        self._asking = False
        self._note_due()

    def tick(self, now: float) -> None:
        """Let c-ares give up, or repeat, what is over."""
        if now >= self.due:
            self._process(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)

    def close(self) -> None:
        self._ares.cancel()  # here, and not in the thread in which pycares takes it down
        self._closed = True
        self.due = math.inf
        self._ares.close()

    # --- What c-ares calls -----------------------------------------------------------------------
    def _on_socket(self, fd: int, readable: bool, writable: bool) -> None:
        if self._closed:
            return
        if events := (readable and READ) | (writable and WRITE):
            self._sockets.watch(fd, events, self._on_ready)
        else:
            self._sockets.forget(fd)

    def _on_ready(self, fd: int, events: int) -> None:
        bad = pycares.ARES_SOCKET_BAD
        self._process(fd if events & READ else bad, fd if events & WRITE else bad)

    def _answer(self, result: Any, error: int | None) -> Answer:
        said = Said.UNASKED if self._could_not_ask(error) else SAID.get(error, Said.NOTHING)
        addresses = _addresses(result) if result is not None and said is Said.ADDRESSES else ()
        # What comes back while the question is still being put was read from /etc/hosts.
        return Answer(said, addresses, said in PROOF and not self._asking)

    def _could_not_ask(self, error: int | None) -> bool:
        """Whether we had no socket for the question. c-ares tells it by the word for a server that refuses
        connections, which may also be said of the last of several servers: by then one was asked.
        """
        return error not in SAID and (self._asking or not descriptor_left())

    # --- Ours ------------------------------------------------------------------------------------
    def _process(self, read_fd: int, write_fd: int) -> None:
        if not self._closed:  # an event of the same turn may have closed it
            self._ares.process_fd(read_fd, write_fd)
            self._note_due()

    def _note_due(self) -> None:
        patience_s: float = self._ares.timeout(self._limit_s)  # type: ignore[no-untyped-call]
        self.due = time.monotonic() + patience_s


def _addresses(result: Any) -> tuple[str, ...]:
    texts = (node.addr[0] for node in result.nodes[:MAX_ADDRESSES])
    return tuple(text.decode() if isinstance(text, bytes) else text for text in texts)
