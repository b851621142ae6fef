"""Several late alerts about one subject as one message: who was out of reach is told once, in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from alerts.channels.shape import Message
from alerts.postlength import LONGEST, weight

BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
MOST = 20  # alerts in one message; the rest comes with the next


def joined(parts: Sequence[Message]) -> Message:
    """One message that says what ``parts`` say, the oldest first; a single one stays as it is.

    Its key is that of the newest: a receiver that knows an older one already must not take this for it.
    """
    newest = parts[-1]
    if len(parts) == 1:
        return newest
    return replace(
        newest,
        subject=_subject(parts),
        text=_text(parts),
        html=_html(parts),
        public=_post([part.public for part in parts if part.public is not None]) or None,
    )


def _subject(parts: Sequence[Message]) -> str:
    earlier = parts[0].subject if len(parts) == 2 else f"{len(parts) - 1} messages"
    return f"{parts[-1].subject} (late, and before it: {earlier})"


def _lead(parts: Sequence[Message]) -> str:
    return f"These {len(parts)} messages could not be delivered in time. The oldest comes first."


def _text(parts: Sequence[Message]) -> str:
    return "\n".join([f"{_lead(parts)}\n", *(f"* {part.subject}\n\n{part.text}" for part in parts)])


def _html(parts: Sequence[Message]) -> str:
    bodies = format_html_join("", "<hr>{}", [(mark_safe(_body(part.html)),) for part in parts])  # noqa: S308  (as sent alone)
    return format_html(
        '<!doctype html><html><body style="font-family:sans-serif"><p>{}</p>{}</body></html>',
        _lead(parts),
        bodies,
    )


def _body(html: str) -> str:
    found = BODY.search(html)
    return found[1] if found else html


def fitting(posts: Sequence[str]) -> int:
    """How many of the oldest one post holds, at least one; the rest comes with the next."""
    return max((n for n in range(2, len(posts) + 1) if weight(_post(posts[:n])) <= LONGEST), default=1)


def _post(posts: Sequence[str]) -> str:
    return ". ".join(posts)
