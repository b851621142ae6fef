"""Requests under way in one CurlMulti, driven socket by socket: a step costs the same however many wait.

(``perform`` looks at every transfer in flight each time: 260 µs for a probe with 512 of them, here 60.)
"""

from __future__ import annotations

import math
import socket
import time
from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EMFILE, ENETDOWN, ENETUNREACH
from urllib.parse import urlsplit

import pycurl

from monitor.probe.certificates import Certificate, read_chain
from monitor.probe.handles import Handle
from monitor.probe.limits import descriptor_left
from monitor.probe.reasons import Failure, Phase
from monitor.probe.sockets import Sockets
from monitor.probe.trace import Account

MAYBE_NO_WAY = {ENETUNREACH, ENETDOWN, EADDRNOTAVAIL}  # also what a router far away may say


@dataclass(slots=True)
class Request:
    """One request to make; ``tag`` comes back with its outcome.

    ``name`` (``host:port``) and ``addresses`` are empty where the URL itself carries an address.
    ``peek``: only shake hands, unverified, for what the certificate says; ``certificate``: read it beside.
    ``account`` is told what libcurl does.
    """

    tag: int
    url: str
    verb: str
    timeout_s: float
    https: bool
    name: str = ""
    addresses: tuple[str, ...] = ()
    peek: bool = False
    certificate: bool = False
    account: Account | None = None


@dataclass(slots=True)
class Phases:
    """Milliseconds from the start of the connection; None for what was not reached."""

    total_ms: float
    connect_ms: float | None
    tls_ms: float | None
    wait_ms: float | None


@dataclass(slots=True)
class Outcome:
    """An answer (``code``) or a ``failure``; and the certificate, where it was asked for and seen."""

    request: Request
    phases: Phases
    code: int | None = None
    failure: Failure | None = None
    certificate: Certificate | None = None


class Transfers:
    """``start`` requests, call ``tick`` when ``due``, take ``finished`` after both and after events."""

    def __init__(self, sockets: Sockets, ca_file: str) -> None:
        self.finished: list[Outcome] = []
        self._sockets = sockets
        self._ca_file = ca_file
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self._due = math.inf
        self._under_way = 0  # as libcurl has it: fewer than are running where some have ended
        self._idle: list[Handle] = []
        self._running: dict[pycurl.Curl, tuple[Handle, Request]] = {}

    @property
    def in_flight(self) -> int:
        return len(self._running)

    def start(self, request: Request) -> None:
        handle = self._idle.pop() if self._idle and not _spends(request) else Handle(self._ca_file)
        handle.read_certificate(request.certificate)
        if request.peek:
            handle.only_shake_hands()
        if request.account is not None:
            handle.tell(request.account)
        handle.aim(request.url, request.verb, request.timeout_s, request.name, request.addresses)
        self._multi.add_handle(handle.curl)
        self._running[handle.curl] = handle, request
        self.tick()  # libcurl asks for it by a timer of 0 ms; the connection begins now

    def due(self) -> float:
        """The monotonic time of libcurl's next timer."""
        return self._due

    def tick(self) -> None:
        if time.monotonic() >= self._due:
            self._due = math.inf
            _, self._under_way = self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if self._under_way < len(self._running):
            self._reap()

    def close(self) -> None:
        for handle, _ in self._running.values():
            self._multi.remove_handle(handle.curl)
            handle.close()
        self._running.clear()
        for handle in self._idle:
            handle.close()
        self._idle.clear()
        self._multi.close()

    # --- What libcurl and the sockets call -------------------------------------------------------
    def _on_socket(self, what: int, fd: int, *_: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._sockets.forget(fd)
        else:
            self._sockets.watch(fd, what, self._on_ready)  # IN, OUT and INOUT are READ, WRITE and their sum

    def _on_timer(self, timeout_ms: int) -> None:
        self._due = math.inf if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    def _on_ready(self, fd: int, events: int) -> None:
        # READ and WRITE are CSELECT_IN and CSELECT_OUT.
        _, self._under_way = self._multi.socket_action(fd, events)

    # --- Ours ------------------------------------------------------------------------------------
    def _reap(self) -> None:
        queued = 1
        while queued:
            queued, done, failed = self._multi.info_read()
            for curl in done:
                self._end(curl, 0, "")
            for curl, code, message in failed:
                self._end(curl, code, message)

    def _end(self, curl: pycurl.Curl, code: int, message: str) -> None:
        handle, request = self._running.pop(curl)
        self._multi.remove_handle(curl)
        self.finished.append(_outcome(handle, request, code, message))
        if _spends(request):
            handle.close()
        else:
            self._idle.append(handle)


def _spends(request: Request) -> bool:
    """Does it take a handle of its own? A peek's connection stays open for as long as its handle does."""
    return request.peek or request.account is not None


def _outcome(handle: Handle, request: Request, code: int, message: str) -> Outcome:
    curl = handle.curl
    phases = _phases(curl, request.https)
    if request.account is not None:
        request.account.address = curl.getinfo(pycurl.PRIMARY_IP) or ""
    certificate = None
    if request.peek or request.certificate:
        certificate = read_chain(curl.getinfo(pycurl.INFO_CERTINFO))
    if request.peek:
        return Outcome(request, phases, certificate=certificate)
    if code == 0 and not handle.headers_complete:
        code, message = pycurl.E_GOT_NOTHING, "closed within the headers"
    if code == 0:
        return Outcome(request, phases, code=int(curl.getinfo(pycurl.RESPONSE_CODE)), certificate=certificate)
    return Outcome(request, phases, failure=_failure(curl, request, code, message), certificate=certificate)


def _phases(curl: pycurl.Curl, https: bool) -> Phases:
    """libcurl's times count from the start. CONNECT and APPCONNECT are 0 where they were not reached; the
    later ones then stand at the end of the request. The wait begins where the phase before it ended, so that
    the phases add up to the total.
    """
    connected = curl.getinfo(pycurl.CONNECT_TIME) * 1000
    secured = curl.getinfo(pycurl.APPCONNECT_TIME) * 1000
    first = curl.getinfo(pycurl.STARTTRANSFER_TIME) * 1000
    ready = secured if https else connected
    return Phases(
        total_ms=curl.getinfo(pycurl.TOTAL_TIME) * 1000,
        connect_ms=connected or None,
        tls_ms=secured - connected if secured else None,
        wait_ms=first - ready if ready and first else None,
    )


def _failure(curl: pycurl.Curl, request: Request, code: int, message: str) -> Failure:
    errno = int(curl.getinfo(pycurl.OS_ERRNO))
    if code == pycurl.E_COULDNT_CONNECT and errno == 0 and not descriptor_left():
        errno = EMFILE  # libcurl keeps the error of connect(), not that of socket()
    if not curl.getinfo(pycurl.CONNECT_TIME):
        phase = Phase.CONNECTING
    elif request.https and not curl.getinfo(pycurl.APPCONNECT_TIME):
        phase = Phase.HANDSHAKE
    else:
        phase = Phase.HEADERS
    ipv6 = "[" in request.url or any(":" in address for address in request.addresses)
    no_way = code == pycurl.E_COULDNT_CONNECT and errno in MAYBE_NO_WAY and not _has_way(request)
    verify_result = int(curl.getinfo(pycurl.SSL_VERIFYRESULT))
    return Failure(code, message, errno, phase, ipv6, verify_result, no_way=no_way)


def _has_way(request: Request) -> bool:
    """Does this machine know a way to any of the addresses? Nothing is sent to find out."""
    return any(map(_knows_way, request.addresses or [urlsplit(request.url).hostname or ""]))


def _knows_way(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            datagrams.connect((address, 9))  # looks for the way, and no more
    except OSError as error:
        return error.errno not in MAYBE_NO_WAY
    return True
