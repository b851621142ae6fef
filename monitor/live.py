"""Pages of sites while they are open: looks each second whether what they show has changed.

Browsers with home open are sent what has; one Hub a process, which works only while somebody watches, and
draws nothing itself: see monitor.board. Pages of a site or of outages hear that something has, and ask what:
see monitor.marks and monitor.parts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, get_args
from urllib.parse import parse_qs

from django.utils import timezone

from accounts.streams import Audience, Reader, reader_gate
from djamon.lib import watching
from djamon.lib.eventstream import Payload, message
from djamon.lib.streaming import Doors, EventApp, Feed, Scope, Wake, header
from djamon.lib.watching import LINGER_S, Seen, Voice, Watcher
from monitor.marks import Kind, Subject, frame_at, mark_from, marks

log = logging.getLogger(__name__)

LOOK_S = 1.0
# A look takes a twentieth of a core at most, drawing, which only changes cause, a fifth.
LOOK_SHARE = 20
DRAW_SHARE = 5
TAGS_KEPT = 256


class Board(Protocol):
    """What monitor.board draws: pages as pieces with ids."""

    @property
    def pieces(self) -> Mapping[str, str]: ...
    @property
    def frames(self) -> Mapping[str, str]: ...
    @property
    def order(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def tag(self) -> str: ...


Draw = Callable[[datetime, Collection[Audience]], Mapping[Audience, Board]]
Fingerprint = Callable[[datetime], object]


class Change(NamedTuple):
    """What a browser is sent: new outer HTML by id, frames for what it lacks, and the children's order."""

    tag: str
    pieces: dict[str, str]
    frames: dict[str, str]
    order: dict[str, tuple[str, ...]]


class History:
    """An audience's board, and for each part of it the version in which it last became other."""

    def __init__(self) -> None:
        self.version = 0
        self._parts: dict[tuple[str, str], tuple[int, Any]] = {}
        self._tag = ""
        self._tags: OrderedDict[str, int] = OrderedDict()

    def advance(self, board: Board) -> bool:
        """Takes what was drawn; whether that is another board than before."""
        if self.version and board.tag == self._tag:
            return False
        self.version += 1
        self._tag = board.tag
        old, self._parts = self._parts, {}
        for kind in ("pieces", "frames", "order"):
            for name, content in getattr(board, kind).items():
                known = old.get((kind, name))
                same = known is not None and known[1] == content
                self._parts[kind, name] = known if known and same else (self.version, content)
        self._tags[board.tag] = self.version
        self._tags.move_to_end(board.tag)
        if len(self._tags) > TAGS_KEPT:
            self._tags.popitem(last=False)
        return True

    def version_of(self, tag: str) -> int:
        """The version that a page with this tag shows; 0, before all others, where the tag is not known."""
        return self._tags.get(tag, 0)

    def since(self, version: int) -> Change:
        found: dict[str, dict[str, Any]] = {"pieces": {}, "frames": {}, "order": {}}
        for (kind, name), (changed, content) in self._parts.items():
            if changed > version:
                found[kind][name] = content
        return Change(self._tag, **found)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw; processor seconds that it and the drawing took, and the clock's for both."""

    fingerprint: object
    boards: Mapping[Audience, Board]
    look_s: float
    draw_s: float
    took_s: float

    def pause_s(self, least_s: float = LOOK_S) -> float:
        """Until the next look: neither takes more than its share of a core, and a slow database has a rest.

        On a busy machine the clock says nothing of our own share.
        """
        return max(least_s, (LOOK_SHARE - 1) * self.look_s, (DRAW_SHARE - 1) * self.draw_s, self.took_s)


VOICE = Voice(
    log, "home-watcher", "home is not live: it cannot be told what has changed", "home is live again"
)


def looking(draw: Draw, fingerprint: Fingerprint) -> Watcher[Mapping[Audience, object], Look]:
    """It is given the fingerprint of each audience's board; where that is another now, it draws anew."""

    def look(drawn: Mapping[Audience, object]) -> Look:
        now, begun = timezone.now(), time.monotonic()
        started = time.thread_time()
        seen = fingerprint(now)
        looked = time.thread_time()
        # In this order: what changes in between is drawn already, and drawn again at the next look.
        stale = [audience for audience, old in drawn.items() if old != seen]
        boards = draw(now, stale) if stale else {}
        drawn_s = time.thread_time() - looked
        return Look(seen, boards, looked - started, drawn_s, time.monotonic() - begun)

    return Watcher(look, VOICE)


class Hub:
    """Knows who watches, has a Watcher look while anybody does, and keeps what each audience was shown."""

    def __init__(
        self, draw: Draw, fingerprint: Fingerprint, look_s: float = LOOK_S, linger_s: float = LINGER_S
    ) -> None:
        self.looks = 0  # how many have begun
        self.seen = 0  # the last one that saw something
        self._blind = False  # the last one saw nothing
        self._sources = (draw, fingerprint)
        self._look_s = look_s
        self._linger_s = linger_s
        self._histories: dict[Audience, History] = {}
        self._drawn: dict[Audience, object] = {}
        self._clients: set[Client] = set()
        self._payloads: dict[tuple[Audience, int], asyncio.Task[tuple[int, Payload]]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def works(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def live(self) -> bool:
        return self.works and not self._blind

    def feed(self, reader: Reader, scope: Scope, wake: Wake) -> Client:
        client = Client(self, reader.audience, shown_tag(scope), wake)
        self._clients.add(client)
        if not self.works:
            self._task = asyncio.create_task(self._watch())
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    def history(self, audience: Audience) -> History:
        return self._histories.setdefault(audience, History())

    async def payload(self, audience: Audience, version: int) -> tuple[int, Payload]:
        """What changed since ``version``, and up to which one: encoded once for all who stand there."""
        key = (audience, version)
        task = self._payloads.get(key)
        if task is None:
            task = self._payloads[key] = asyncio.create_task(self._encode(self.history(audience), version))
        return await asyncio.shield(task)  # others wait for it too

    async def _encode(self, history: History, version: int) -> tuple[int, Payload]:
        now, change = history.version, history.since(version)
        return now, await asyncio.to_thread(_payload, change)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        watcher = looking(*self._sources)
        empty_since = loop.time()
        try:
            while self._clients or loop.time() - empty_since < self._linger_s:
                pause_s = await self._look(watcher)
                await asyncio.sleep(pause_s)
                if self._clients:
                    empty_since = loop.time()
        finally:
            watcher.close()

    async def _look(self, watcher: Watcher[Mapping[Audience, object], Look]) -> float:
        audiences = {client.audience for client in self._clients}
        if not audiences:
            return self._look_s
        self.looks += 1
        found = await watcher.look({audience: self._drawn.get(audience, watcher) for audience in audiences})
        was_blind, self._blind = self._blind, found is None
        if found is not None:
            self.seen = self.looks
            self._take(found)
        if was_blind != self._blind:
            for client in self._clients:
                client.wake()
        return found.pause_s(self._look_s) if found else self._look_s

    def _take(self, found: Look) -> None:
        changed = set()
        for audience, board in found.boards.items():
            self._drawn[audience] = found.fingerprint
            if self.history(audience).advance(board):
                changed.add(audience)
        self._payloads = {key: task for key, task in self._payloads.items() if key[0] not in changed}
        for client in self._clients:
            if client.audience in changed or client.waits:
                client.wake()


class Client:
    """One browser with home open: a djamon.lib.streaming.Feed."""

    def __init__(self, hub: Hub, audience: Audience, tag: str, wake: Wake) -> None:
        self.audience = audience
        self.wake = wake
        self._hub = hub
        self._tag = tag
        self._came = hub.looks
        self._version: int | None = None

    @property
    def waits(self) -> bool:
        """Until a look that began after the page was drawn: an older one could show it the past."""
        return self._version is None

    @property
    def live(self) -> bool:
        return self._hub.live and not self.waits

    async def fresh(self) -> Payload | None:
        history = self._hub.history(self.audience)
        if self._version is None:
            if self._hub.seen <= self._came:
                return None
            self._version = history.version_of(self._tag)
        if self._version == history.version:
            return None
        self._version, payload = await self._hub.payload(self.audience, self._version)
        return payload

    def close(self) -> None:
        self._hub.leave(self)


def _payload(change: Change) -> Payload:
    data = json.dumps(change._asdict(), ensure_ascii=False, separators=(",", ":"))
    payload = Payload(message(data, event="board", mark=change.tag))
    _ = payload.deflated  # here, off the event loop: 1,000 rows take a while
    return payload


def shown_tag(scope: Scope) -> str:
    """What the browser shows: the last message that it got, else what its page was drawn with."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return header(scope, b"last-event-id") or query.get("tag", [""])[0]


PAGES = Voice(
    log, "pages-watcher", "pages are not live: it cannot be told what has changed", "pages are live again"
)
APART_MS = 5  # what a part of a page costs the server, so that a thousand pages ask within five seconds
LONGEST_APART_MS = 10_000


def page_of(reader: Reader, scope: Scope) -> Seen[Subject] | None:
    """Which page of a site or of outages is open, and the mark that it was drawn with; None for home."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    for kind in get_args(Kind):
        if kind in query:
            mark = header(scope, b"last-event-id") or query.get("mark", [""])[0]
            return Seen(Subject(kind, query[kind][0], reader.audience != "stranger"), mark)
    return None


def changed(mark: object, count: int) -> Payload:
    """Tells a page its new mark, and within which time it shall ask what that stands for."""
    spread_ms = min(LONGEST_APART_MS, APART_MS * (count - 1))
    return Payload(message(json.dumps({"spread_ms": spread_ms}), event="changed", mark=str(mark or "")))


def site_events(draw: Draw, fingerprint: Fingerprint, doors: Doors) -> EventApp[Reader]:
    """The application at /events/sites: home, or where the query names one a page of a site or of outages."""
    home = Hub(draw, fingerprint)

    def look(subjects: Collection[Subject]) -> dict[Subject, str]:
        found = marks(subjects, frame_at(timezone.now()))
        parts = [subject for subject in subjects if subject.kind == "board"]
        if parts:
            found |= dict.fromkeys(parts, mark_from(fingerprint(timezone.now())))
        return found

    pages: watching.Hub[Subject] = watching.Hub(look, _seen_by, PAGES, tell=changed)

    def feed(reader: Reader, scope: Scope, wake: Wake) -> Feed:
        hub = home if page_of(reader, scope) is None else pages
        return hub.feed(reader, scope, wake)

    return EventApp(reader_gate, feed, doors)


def _seen_by(reader: Reader, scope: Scope) -> Seen[Subject]:
    seen = page_of(reader, scope)
    if seen is None:
        raise ValueError("home has a hub of its own")
    return seen
