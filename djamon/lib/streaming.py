"""Streams of server-sent events as ASGI applications in front of Django, which would hold a thread for each.

Generic: who may read is asked of a gate, what they read comes from a feed. One Doors bounds all of a process.
"""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

from django.http import HttpResponse
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from djamon.lib.eventstream import COMMENT, CONTENT_TYPE, Payload, message, retry, wire_for
from djamon.lib.negotiation import json_error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Wake = Callable[[], None]
Who = TypeVar("Who")

RETRY_MS = 2000
FULL_RETRY_S = 30
# What a stream has to end itself once the process is told to stop; uvicorn complains after 3 s.
LAST_WORDS_S = 0.5
OTHER_FILES = 512  # what the process opens besides its streams
ENDING = (signal.SIGTERM, signal.SIGINT)

GREETING = Payload(retry(RETRY_MS))
# Browsers pass over a message without data. A page that hears no beat for long knows that its line has died.
BEAT = Payload(message("live", event="beat"))
STALE = Payload(message("wait", event="stale"))
GONE = Payload(message("reload", event="gone"))


class Feed(Protocol):
    """What one client is shown. It calls its Wake where there is something new, or ``live`` has changed."""

    @property
    def live(self) -> bool:
        """Whether what the client has been sent is how things are; False also until that is known."""

    async def fresh(self) -> Payload | None:
        """What the client has not been sent yet, in one; None where it has seen all."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: quiet until a beat, until the gate is asked again, and that a client may take to read."""

    beat_s: float = 15
    check_s: float = 15
    send_s: float = 30


class Doors:
    """The streams open in this process: no more than ``limit``, and all end when the process shall."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.closing = False
        self._inside: set[Visit] = set()
        self._entering = 0
        self._listens = False

    def __len__(self) -> int:
        return self._entering + len(self._inside)

    @property
    def full(self) -> bool:
        return self.closing or len(self) >= self.limit

    @contextmanager
    def place(self) -> Iterator[None]:
        """Counts who is still at the gate."""
        self._entering += 1
        try:
            yield
        finally:
            self._entering -= 1

    @contextmanager
    def inside(self, visit: Visit) -> Iterator[None]:
        self._listen()
        self._inside.add(visit)
        try:
            yield
        finally:
            self._inside.discard(visit)

    def close(self) -> None:
        """Ends every stream now: those who read by a last word, those who do not by cutting them off."""
        self.closing = True
        for visit in self._inside:
            visit.wake.set()
        asyncio.get_running_loop().call_later(LAST_WORDS_S, self._cut)

    def _cut(self) -> None:
        for visit in list(self._inside):
            visit.cut()

    def _listen(self) -> None:
        """The server waits for all streams before it tells the application, so we hear the signal too."""
        if self._listens or threading.current_thread() is not threading.main_thread():
            return
        self._listens = True
        loop = asyncio.get_running_loop()
        for number in ENDING:
            server = signal.getsignal(number)
            if callable(server):  # otherwise nobody ends gracefully here
                signal.signal(number, self._also(loop, server))

    def _also(
        self, loop: asyncio.AbstractEventLoop, server: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def heard(number: int, frame: FrameType | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: nothing left to end
                loop.call_soon_threadsafe(self.close)
            server(number, frame)

        return heard

    def figures(self, now: datetime) -> Iterable[Metric]:  # noqa: ARG002  (a source of metrics is given it)
        """A source for djamon.lib.hooks.metric_sources."""
        inside = GaugeMetricFamily("djamon_event_streams", "Streams of live updates that are open")
        inside.add_metric([], len(self))
        limit = GaugeMetricFamily("djamon_event_streams_limit", "How many may be open: EVENTS_MAX_CLIENTS")
        limit.add_metric([], self.limit)
        return [inside, limit]


@dataclass(frozen=True)
class EventApp(Generic[Who]):
    """An ASGI application: ``gate`` says who reads, or how they are refused; ``feed`` says what they read."""

    gate: Callable[[Scope], Awaitable[Who | HttpResponse]]
    feed: Callable[[Who, Scope, Wake], Feed]
    doors: Doors
    pace: Pace = Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await _answer(send, _refused(json_error(405, "A stream of events is read by GET."), Allow="GET"))
        elif self.doors.full:
            full = json_error(503, "As many streams are open as EVENTS_MAX_CLIENTS allows; try again later.")
            await _answer(send, _refused(full, **{"Retry-After": str(FULL_RETRY_S)}))
        else:
            with self.doors.place():
                who = await self.gate(scope)
            if isinstance(who, HttpResponse):
                await _answer(send, who)
            else:
                await self._stream(who, scope, receive, send)

    async def _stream(self, who: Who, scope: Scope, receive: Receive, send: Send) -> None:
        async def still() -> bool:
            now = await self.gate(scope)
            # Where the gate itself is out of order, who was let in stays.
            return now.status_code >= 500 if isinstance(now, HttpResponse) else now == who

        visit = Visit(scope, send, self.pace)
        with self.doors.inside(visit):
            feed = self.feed(who, scope, visit.wake.set)
            leaving = asyncio.create_task(visit.see_off(receive))
            try:
                await visit.run(feed, still, self.doors)
            finally:
                feed.close()
                if visit.was_cut:  # whoever returns before the server has seen it is taken for broken
                    await asyncio.wait({leaving}, timeout=LAST_WORDS_S)
                leaving.cancel()


class Visit:
    """One client at one stream, from its first byte to its last."""

    def __init__(self, scope: Scope, send: Send, pace: Pace) -> None:
        self.wake = asyncio.Event()
        self.left = self.was_cut = False
        self._send = send
        self._pace = pace
        self._beat_at = 0.0
        self._wire = wire_for(header(scope, b"accept-encoding"))

    async def see_off(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self.wake.set()

    async def run(self, feed: Feed, still: Callable[[], Awaitable[bool]], doors: Doors) -> None:
        loop = asyncio.get_running_loop()
        await self._start()
        check_at = loop.time() + self._check_s()
        live = False
        while not (self.left or doors.closing):
            self.wake.clear()
            if payload := await feed.fresh():
                await self._write(payload)
            elif live != feed.live:
                live = not live
                await self._write(BEAT if live else STALE)
            elif loop.time() >= check_at:
                if not await still():
                    await self._write(GONE)
                    break
                check_at = loop.time() + self._check_s()
            elif loop.time() >= self._beat_at:
                await self._write(BEAT if live else COMMENT)
            else:
                await self._woken(min(self._beat_at, check_at) - loop.time())
        await self._end(cut=doors.closing)

    def cut(self) -> None:
        """ASGI cannot close a connection that does not drain; the owner of uvicorn's ``send`` can."""
        self.left = self.was_cut = True
        if transport := getattr(getattr(self._send, "__self__", None), "transport", None):
            transport.abort()

    def _check_s(self) -> float:
        # Those who came together, after a restart, shall not all be asked for in the same second.
        return self._pace.check_s * random.uniform(0.8, 1)  # noqa: S311

    async def _woken(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wake.wait()

    async def _start(self) -> None:
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Cache-Control": "no-store",
            "Vary": "Accept-Encoding, Authorization, Cookie",
            "X-Accel-Buffering": "no",  # nginx passes each message on at once
            "X-Content-Type-Options": "nosniff",
        }
        if self._wire.encoding:
            headers["Content-Encoding"] = self._wire.encoding
        await self._give({"type": "http.response.start", "status": 200, "headers": _raw(headers)})
        await self._body(self._wire.first() + self._wire.next(GREETING))

    async def _write(self, payload: Payload) -> None:
        await self._body(self._wire.next(payload))

    async def _end(self, *, cut: bool) -> None:
        if not self.left:
            await self._body(self._wire.last(), more=False)
        if cut:
            # What was written is with the kernel; what was not is for somebody who does not read.
            self.cut()

    async def _body(self, body: bytes, *, more: bool = True) -> None:
        self._beat_at = asyncio.get_running_loop().time() + self._pace.beat_s
        await self._give({"type": "http.response.body", "body": body, "more_body": more})

    async def _give(self, said: dict[str, Any]) -> None:
        if self.left:
            return
        try:
            async with asyncio.timeout(self._pace.send_s):
                await self._send(said)
        except TimeoutError:
            self.cut()


def make_room(streams: int) -> None:
    """Lets this process open so many files, as far as the system allows: usual are 1,024 in all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if resource.RLIM_INFINITY != soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def header(scope: Scope, name: bytes) -> str:
    """A request's header, by its name in lower case; empty where it is not there."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _answer(send: Send, response: HttpResponse) -> None:
    headers = _raw({**dict(response.items()), "Content-Length": str(len(response.content))})
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
    response.close()


def _refused(response: HttpResponse, **headers: str) -> HttpResponse:
    for name, value in headers.items():
        response[name] = value
    return response


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
