"""The thread that stores: takes what waits, reads it, writes it, and tries again where the database is away.

What it took is never given up while it runs: the database may be locked, gone, full, read-only or without its
tables. A batch that fails for what it holds is halved until the one sample that is to blame stands alone, and
that one is counted and dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connection, transaction

from timings import figures, wire
from timings.calls import Calls
from timings.inbox import Chunk, Inbox
from timings.store import Store

log = logging.getLogger(__name__)

FLUSH_S = 0.3  # what is received is visible within a second
# What one transaction takes: each adds to four sums of each series. A key takes the memory of eight calls.
TOGETHER = 150_000  # datagrams
KEYS_TOGETHER = 20_000
PAUSE_S = 0.5  # before another try
LAST_TRIES_S = 15.0  # how long the end may take while the database is away
AWAY = (DatabaseError, InterfaceError)
OF_THE_BATCH = (DataError, IntegrityError)  # of the former those that what is written is to blame for

OnSamples = Callable[[Sequence[wire.Sample]], object]


class Turn(NamedTuple):
    """``found``: the datagrams that were taken; ``was_full``: more may wait that did not go with them."""

    found: int
    was_full: bool


class Writer(threading.Thread):
    """``lost`` is how many datagrams could not be stored when it had to end."""

    def __init__(
        self,
        inbox: Inbox,
        store: Store,
        book: figures.Book,
        tokens: Set[str],
        on_samples: OnSamples | None = None,
    ) -> None:
        super().__init__(name="kodemon-writer", daemon=True)
        self.lost = 0
        self._inbox = inbox
        self._store = store
        self._book = book
        self._tokens = tokens
        self._on_samples = on_samples
        self._ending = threading.Event()
        self._give_up_at = float("inf")
        self._is_away = False

    def end(self) -> None:
        """Store what waits, and return when that is done or has been tried for LAST_TRIES_S."""
        self._give_up_at = time.monotonic() + LAST_TRIES_S
        self._ending.set()
        self.join()

    def run(self) -> None:
        try:
            while True:
                ending = self._ending.is_set()
                began = time.monotonic()
                turn = self._guarded_turn()
                if ending and not turn.found:
                    return
                if not turn.was_full:
                    self._ending.wait(max(0.0, FLUSH_S - (time.monotonic() - began)))
        finally:
            connection.close()

    def _guarded_turn(self) -> Turn:
        try:
            return self._turn()
        except Exception:  # the outermost guard: what comes is stored all the same
            log.exception("A batch was not stored to its end")
            return Turn(len(self._inbox), was_full=False)

    def _turn(self) -> Turn:
        """Store what waits, but not more than goes together."""
        calls, refused = Calls(), Counter[str]()
        shown: list[wire.Sample] = []
        found, full = 0, False
        while not full and (chunk := self._inbox.take()) is not None:
            refused += self._read(chunk, calls, shown)
            found += chunk.count
            full = found >= TOGETHER or calls.keys >= KEYS_TOGETHER
        if found or self._book.is_old():
            self._store_all(calls, refused)
        if shown and self._on_samples:
            self._on_samples(shown)
        return Turn(found, full)

    def _read(self, chunk: Chunk, calls: Calls, shown: list[wire.Sample]) -> Counter[str]:
        """What is stored, and shown if somebody wants to see it; gives what is refused."""
        batch = wire.read(chunk.lines, chunk.count, chunk.arrived_s, self._tokens)
        calls.add(batch.samples, alike=batch.alike)
        if self._on_samples:
            shown += batch.samples
        return batch.refused

    def _store_all(self, calls: Calls, refused: Counter[str]) -> None:
        while True:
            try:
                self._write(calls, refused)
            except Exception as error:  # noqa: BLE001  (one call is not to take the others with it)
                if not isinstance(error, AWAY) or isinstance(error, OF_THE_BATCH):
                    self._write_halves(calls, refused, error)
                    return
                if time.monotonic() > self._give_up_at:
                    self.lost += len(calls)
                    return
                self._wait_for_database(error)
            else:
                self._say_it_is_back()
                return

    def _write(self, calls: Calls, refused: Counter[str]) -> None:
        with transaction.atomic():
            stored = self._store.write(calls)
            self._book.add(stored.samples, refused + stored.refused)
        self._book.keep()

    def _write_halves(self, calls: Calls, refused: Counter[str], error: Exception) -> None:
        self._store.forget()
        if not calls:  # then it is the figures that cannot be written
            raise error
        samples = list(calls)
        if len(samples) == 1:
            log.error("One call cannot be stored and is dropped: %s (%r)", error, samples)
            self._store_all(Calls(), refused + Counter({"cannot be stored": 1}))
            return
        middle = len(samples) // 2
        self._store_all(Calls(samples[:middle]), refused)
        self._store_all(Calls(samples[middle:]), Counter())

    def _wait_for_database(self, error: Exception) -> None:
        if not self._is_away:
            log.error("The database is away, what comes is kept in memory: %s", " ".join(str(error).split()))
        self._is_away = True
        self._store.forget()
        connection.close()
        time.sleep(PAUSE_S)

    def _say_it_is_back(self) -> None:
        if self._is_away:
            log.warning("The database is back; %d datagrams wait to be stored", len(self._inbox))
        self._is_away = False
