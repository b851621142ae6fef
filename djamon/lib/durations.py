"""Durations in words: one rule for pages, mails and template tags."""

from __future__ import annotations

UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def in_words(seconds: float) -> str:
    """``3661`` → ``1 hour, 1 minute, 1 second``; zero parts are left out, ``0`` → ``0 seconds``.

    Fractions of a second are cut off; a negative duration counts as none.
    """
    rest = max(0, int(seconds))
    parts = []
    for name, size in UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts) or "0 seconds"


def roughly(seconds: float) -> str:
    """The two largest parts of :func:`in_words`: what a glance needs."""
    return ", ".join(in_words(seconds).split(", ")[:2])
