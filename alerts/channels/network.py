"""Faults of the network in words, whichever library wrapped them."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

PLAIN: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "the connection was dropped"),
)
NO_WAY: dict[int | None, str] = {
    errno.ENETUNREACH: "no way to the network",
    errno.EHOSTUNREACH: "no way to the host",
}


def in_words(error: BaseException, timeout_s: float) -> str | None:
    """What went wrong beneath ``error``, or None where no cause of the network is found."""
    for cause in causes(error):
        if words := _words_of(cause, timeout_s):
            return words
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and all that it wraps (cause, context, arguments, urllib3's ``reason``), each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting.extend(each for each in inner if isinstance(each, BaseException))


def _words_of(error: BaseException, timeout_s: float) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {getattr(error, 'reason', None) or error}"
    if isinstance(error, socket.gaierror):
        return "name not found" if error.errno == socket.EAI_NONAME else "name look-up failed"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    return next((words for kind, words in PLAIN if isinstance(error, kind)), None) or NO_WAY.get(
        getattr(error, "errno", None)
    )
