"""UUIDs of version 7 (RFC 9562): they sort by time, so rows of big tables stay in order on disk."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new UUIDv7; within one process each is greater than the one before, also if the clock goes back.

    Layout: 48 bits of Unix milliseconds, version, 12 + 62 bits. After the first of a millisecond the random
    part is counted up by a random step instead of drawn anew (RFC 9562, 6.2, method 2).
    """
    global _last  # noqa: PLW0603  (the counter is what makes them monotonic)
    fresh = (time.time_ns() // 1_000_000) << 74 | int.from_bytes(os.urandom(10)) >> 6
    with _lock:
        if fresh >> 74 <= _last >> 74:
            fresh = _last + 1 + int.from_bytes(os.urandom(4))
        _last = fresh
    return uuid.UUID(
        int=(fresh >> 74) << 80 | 7 << 76 | (fresh >> 62 & 0xFFF) << 64 | 2 << 62 | fresh & (1 << 62) - 1
    )
