"""What was received and not stored yet: a bounded queue between the socket's thread and the store's."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

OVERHEAD = 41  # bytes of a bytes object and its place in a list
WHITE_SPACE = b" \t\n\r"  # of JSON
CHUNK_S = 0.5
CHUNK_SIZE = 5000  # datagrams


class Chunk:
    """Datagrams that came within CHUNK_S of ``arrived_s`` (seconds since 1970).

    As lines, because an object for each would cost a tenth of what it takes to store it.
    """

    def __init__(self, arrived_s: float) -> None:
        self.arrived_s = arrived_s
        self.count = 0
        self.size = 0  # bytes of memory
        self._pieces: list[bytes] = []

    def add(self, lines: bytes, count: int) -> None:
        self.count += count
        self.size += _size(lines)
        self._pieces.append(lines)

    @property
    def lines(self) -> bytes:
        """One datagram a line, in the order in which they came."""
        return b"\n".join(self._pieces)


class Inbox:
    """Holds up to ``limit`` bytes; what does not fit is counted in ``dropped`` and gone."""

    def __init__(self, limit: int) -> None:
        self.received = 0
        self.dropped = 0
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()
        self._open = Chunk(0.0)
        self._full: deque[Chunk] = deque()

    def put(self, datagrams: Sequence[bytes]) -> None:
        """Take them all, or none: it may hold as much more than its limit as came at once."""
        now, count = time.time(), len(datagrams)
        lines = as_lines(datagrams)
        with self._lock:
            self.received += count
            if self._held > self._limit:
                self.dropped += count
                return
            self._held += _size(lines)
            if abs(now - self._open.arrived_s) > CHUNK_S:  # also where the clock was set
                self._close()
                self._open = Chunk(now)
            self._open.add(lines, count)
            if self._open.count >= CHUNK_SIZE:
                self._close()

    def take(self) -> Chunk | None:
        """The oldest datagrams, about CHUNK_SIZE at most; None where nothing waits."""
        with self._lock:
            if not self._full:
                self._close()
            if not self._full:
                return None
            chunk = self._full.popleft()
            self._held -= chunk.size
            return chunk

    def counts(self) -> tuple[int, int]:
        """Datagrams that were received, and those of them that were dropped, at one moment."""
        with self._lock:
            return self.received, self.dropped

    def __len__(self) -> int:
        """Datagrams that wait to be taken."""
        with self._lock:
            return self._open.count + sum(chunk.count for chunk in self._full)

    def _close(self) -> None:
        if self._open.count:
            self._full.append(self._open)
            self._open = Chunk(0.0)


def _size(lines: bytes) -> int:
    return len(lines) + OVERHEAD


def as_lines(datagrams: Sequence[bytes]) -> bytes:
    """One datagram a line.

    White space around one is nothing to JSON; a line end within becomes a carriage return, which is white
    space, too, and as wrong in a string.
    """
    if b"\n" in b"".join(datagrams):
        datagrams = [datagram.strip(WHITE_SPACE).replace(b"\n", b"\r") for datagram in datagrams]
    return b"\n".join(datagrams)
