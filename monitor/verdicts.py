"""The words of the monitor: what is asked, what came back, and how an answer is judged.

Pure: no query, clock or socket.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Verdict(IntEnum):
    """UP and DOWN speak of the site; INCONCLUSIVE of ourselves: it leaves a site's strikes as they are."""

    UP = 1
    DOWN = 2
    INCONCLUSIVE = 3


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to ask: ``key`` is the caller's name for it (a site's id) and comes back with the result.

    ``read_certificate`` asks for the result's ``certificate_ends`` (UTC), which costs time.
    """

    key: int
    url: str
    good_codes: frozenset[int]
    get_fallback: bool = False
    read_certificate: bool = False


# What a good answer's time is made of, in the order of time; a look-up or TLS may not have been needed.
PHASES = ("lookup_ms", "connect_ms", "tls_ms", "wait_ms")


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one request saw; times in milliseconds, None for a phase that was not reached.

    ``code`` is the HTTP status, None where no complete headers came. ``reason`` is in words, for people
    (``connection refused``). ``asked_at`` is UTC, when the look-up or, without one, the connection began;
    ``total_ms`` counts from there to the end of the headers or the failure, without any wait in our queue.
    """

    key: int
    asked_at: datetime
    verdict: Verdict
    code: int | None
    reason: str
    verb: str
    total_ms: float
    lookup_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    wait_ms: float | None = None
    certificate_ends: datetime | None = None


def is_https(url: str) -> bool:
    """Whether a certificate goes with it."""
    return url[:6].lower() == "https:"


def verdict_of_code(code: int, good_codes: Set[int]) -> Verdict:
    """A code among the good ones means up, every other means down (DJ-27)."""
    return Verdict.UP if code in good_codes else Verdict.DOWN
