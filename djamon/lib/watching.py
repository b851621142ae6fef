"""Open pages that ask for what they show: each is told that it has changed, from one look for all of them.

A subject is what a page shows, its mark whatever is another as soon as the page would be. One Hub a process,
which looks only while somebody watches. What a mark is made of is not known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Generic, NamedTuple, TypeVar

from djamon.lib.eventstream import Payload, message
from djamon.lib.patience import patience
from djamon.lib.streaming import Scope, Wake

LOOK_S = 1.0
LINGER_S = 60.0  # after the last client: who reloads finds the hub at work
REST = 9  # where the database is slow, it has a rest nine times as long as a look took
PATIENCE_S = 2.0  # for the database: whoever ends the process waits for a look that is under way

Asked = TypeVar("Asked")
Found = TypeVar("Found")
Subject = TypeVar("Subject", bound=Hashable)
Look = Callable[[Collection[Subject]], Mapping[Subject, object]]

CHANGED = Payload(message("changed", event="changed"))


class Voice(NamedTuple):
    """A watcher's log and thread, and what it says when it can tell nothing, and when it can again."""

    log: logging.Logger
    thread: str
    lost: str
    back: str


class Watcher(Generic[Asked, Found]):
    """Looks, always on one thread, over a database connection of its own that it keeps while all is well."""

    def __init__(self, look: Callable[[Asked], Found], voice: Voice) -> None:
        self._look = look
        self._voice = voice
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=voice.thread)
        self._connection = ExitStack()
        self._connected = self._failing = False

    async def look(self, asked: Asked) -> Found | None:
        """None where it could not be told; the log has the reason, once until it works again."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, asked)

    def close(self) -> None:
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=False)

    def _guarded(self, asked: Asked) -> Found | None:
        try:
            if not self._connected:
                self._connection.enter_context(patience(PATIENCE_S))
                self._connected = True
            found = self._look(asked)
        except Exception:
            self._connection.close()
            self._connected = False
            if not self._failing:
                self._voice.log.exception(self._voice.lost)
            self._failing = True
            return None
        if self._failing:
            self._voice.log.warning(self._voice.back)
        self._failing = False
        return found


class Pace(NamedTuple):
    """Seconds between two looks at least, and for which a hub goes on without clients."""

    look_s: float = LOOK_S
    linger_s: float = LINGER_S


USUAL = Pace()


class Seen(NamedTuple, Generic[Subject]):
    """What a page shows, and the mark that it was drawn with, where it knows."""

    subject: Subject
    mark: object = None


class Hub(Generic[Subject]):
    """Knows who watches what, and has a Watcher look while anybody does.

    ``seen_by`` says what a reader's page shows. ``tell`` makes the message of a mark; its second argument is
    how many pages are told at once, so that they need not all ask in the same moment.
    """

    def __init__(
        self,
        look: Look[Subject],
        seen_by: Callable[[Any, Scope], Seen[Subject]],
        voice: Voice,
        *,
        tell: Callable[[object, int], Payload] = lambda _mark, _count: CHANGED,
        pace: Pace = USUAL,
    ) -> None:
        self.sees = False  # the last look told something
        self._sources = look
        self._seen_by = seen_by
        self._voice = voice
        self._tell = tell
        self._pace = pace
        self._clients: set[Client[Subject]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def works(self) -> bool:
        return self._task is not None and not self._task.done()

    def feed(self, reader: Any, scope: Scope, wake: Wake) -> Client[Subject]:
        client = Client(self, self._seen_by(reader, scope), wake)
        self._clients.add(client)
        if not self.works:
            self._task = asyncio.create_task(self._watch())
        return client

    def leave(self, client: Client[Subject]) -> None:
        self._clients.discard(client)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        watcher: Watcher[Collection[Subject], Mapping[Subject, object]] = Watcher(self._sources, self._voice)
        empty_since = loop.time()
        try:
            while self._clients or loop.time() - empty_since < self._pace.linger_s:
                begun = loop.time()
                if self._clients:
                    await self._look(watcher)
                    empty_since = loop.time()
                await asyncio.sleep(max(self._pace.look_s, REST * (loop.time() - begun)))
        finally:
            watcher.close()
            self.sees = False

    async def _look(self, watcher: Watcher[Collection[Subject], Mapping[Subject, object]]) -> None:
        clients = list(self._clients)  # who comes meanwhile was not asked for
        found = await watcher.look({client.subject for client in clients})
        saw, self.sees = self.sees, found is not None
        if found is not None:
            self._spread(clients, found)
        if saw != self.sees:
            for client in clients:
                client.wake()

    def _spread(self, clients: Collection[Client[Subject]], found: Mapping[Subject, object]) -> None:
        changed = [client for client in clients if client.see(found.get(client.subject))]
        payloads: dict[Subject, Payload] = {}
        for client in changed:
            if client.subject not in payloads:
                payloads[client.subject] = self._tell(found.get(client.subject), len(changed))
            client.told = payloads[client.subject]
            client.wake()


class Client(Generic[Subject]):
    """One open page: a djamon.lib.streaming.Feed."""

    def __init__(self, hub: Hub[Subject], seen: Seen[Subject], wake: Wake) -> None:
        self.subject = seen.subject
        self.wake = wake
        self.told: Payload | None = None
        self._hub = hub
        self._mark = seen.mark
        self._looked = False

    @property
    def live(self) -> bool:
        return self._hub.sees and self._looked

    def see(self, mark: object) -> bool:
        """Whether it is new. The first mark is, unless the page says that it was drawn with it."""
        is_first, self._looked = not self._looked, True
        is_new = mark != self._mark or (is_first and mark is None)
        self._mark = mark
        if is_first and not is_new:
            self.wake()  # to hear that it is live
        return is_new

    async def fresh(self) -> Payload | None:
        told, self.told = self.told, None
        return told

    def close(self) -> None:
        self._hub.leave(self)
