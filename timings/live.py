"""Pages of timings while they are open: tells each that something of what it shows was stored.

What that is, the page asks by itself. One Hub a process looks for all of them, while anybody watches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import parse_qs

from django.utils import timezone

from accounts.streams import Reader, user_gate
from djamon.lib.eventstream import Payload, message
from djamon.lib.patience import patience
from djamon.lib.streaming import Doors, EventApp, Scope, Wake
from timings import queries, reports
from timings.wire import LONGEST_KEY

log = logging.getLogger(__name__)

LOOK_S = 0.5
LINGER_S = 60.0  # after the last client: who reloads finds the hub at work
# A look takes two queries, some 2 ms; where the database is slow, it has a rest nine times as long.
REST = 9
PATIENCE_S = 2.0
ALL = ""  # the subject of the list; others are keys

Marks = Mapping[str, object]
Look = Callable[[Collection[str]], Marks]
CHANGED = Payload(message("changed", event="changed"))


def marks(subjects: Collection[str]) -> Marks:
    """For each subject what is another as soon as there is something new of it."""
    found: dict[str, object] = dict(queries.counts([key for key in subjects if key != ALL]))
    if ALL in subjects:
        found[ALL] = [
            (one.address, one.lives, one.stored, one.refused_in_all, one.queue_full, one.kernel_drops)
            for one in reports.reports(timezone.now()).shown
        ]
    return found


class Watcher:
    """Looks, always on one thread, over a database connection of its own that it keeps while all is well."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="timings-watcher")
        self._connection = ExitStack()
        self._connected = self._failing = False

    async def look(self, subjects: Collection[str]) -> Marks | None:
        """None where it could not be told; the log has the reason, once until it works again."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, set(subjects))

    def close(self) -> None:
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=False)

    def _guarded(self, subjects: Collection[str]) -> Marks | None:
        try:
            if not self._connected:
                self._connection.enter_context(patience(PATIENCE_S))
                self._connected = True
            found = self._look(subjects)
        except Exception:
            self._connection.close()
            self._connected = False
            if not self._failing:
                log.exception("timings are not live: it cannot be told what is new")
            self._failing = True
            return None
        if self._failing:
            log.warning("timings are live again")
        self._failing = False
        return found


class Hub:
    """Knows who watches what, and has a Watcher look while anybody does."""

    def __init__(self, look: Look = marks, look_s: float = LOOK_S, linger_s: float = LINGER_S) -> None:
        self.sees = False  # the last look told something
        self._sources = look
        self._look_s = look_s
        self._linger_s = linger_s
        self._clients: set[Client] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def works(self) -> bool:
        return self._task is not None and not self._task.done()

    def feed(self, reader: Reader, scope: Scope, wake: Wake) -> Client:  # noqa: ARG002  (all are told the same)
        client = Client(self, subject_of(scope), wake)
        self._clients.add(client)
        if not self.works:
            self._task = asyncio.create_task(self._watch())
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        watcher = Watcher(self._sources)
        empty_since = loop.time()
        try:
            while self._clients or loop.time() - empty_since < self._linger_s:
                begun = loop.time()
                if self._clients:
                    await self._look(watcher)
                    empty_since = loop.time()
                await asyncio.sleep(max(self._look_s, REST * (loop.time() - begun)))
        finally:
            watcher.close()
            self.sees = False

    async def _look(self, watcher: Watcher) -> None:
        clients = list(self._clients)  # who comes meanwhile was not asked for
        found = await watcher.look({client.subject for client in clients})
        saw, self.sees = self.sees, found is not None
        for client in clients:
            if found is not None:
                client.see(found.get(client.subject))
            elif saw:
                client.wake()


class Client:
    """One open page: a djamon.lib.streaming.Feed."""

    def __init__(self, hub: Hub, subject: str, wake: Wake) -> None:
        self.subject = subject
        self.wake = wake
        self._hub = hub
        self._seen: object = None
        self._is_new = self._looked = False

    @property
    def live(self) -> bool:
        return self._hub.sees and self._looked

    def see(self, mark: object) -> None:
        """The first mark counts as new: something may have come since the page was drawn."""
        if not self._looked or mark != self._seen:
            self._is_new = True
            self.wake()
        self._seen, self._looked = mark, True

    async def fresh(self) -> Payload | None:
        is_new, self._is_new = self._is_new, False
        return CHANGED if is_new else None

    def close(self) -> None:
        self._hub.leave(self)


def subject_of(scope: Scope) -> str:
    """The key whose page is open; none for the list."""
    said: bytes = scope.get("query_string", b"")
    return parse_qs(said.decode("latin-1")).get("key", [ALL])[0][:LONGEST_KEY].replace("\0", "")


def timings_events(doors: Doors) -> EventApp[Reader]:
    """The application at /events/timings."""
    return EventApp(user_gate, Hub().feed, doors)
