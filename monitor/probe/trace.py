"""How one target's requests went, step by step, for people: filled by the engine where somebody asks for it.

Bounded: a server decides how much it says, not how much is kept of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pycurl

if TYPE_CHECKING:
    from monitor.probe.names import Lookup
    from monitor.probe.transfers import Outcome

MOST_LINES = 60
LONGEST_LINE = 300
TLS = re.compile(r"SSL connection using (\S+) / (\S+)")
TRYING = re.compile(r"Trying (\S+?)\.\.\.")


class Account:
    """libcurl's own account of one request, given to it as its DEBUGFUNCTION."""

    def __init__(self) -> None:
        self.tried: list[str] = []  # address:port of each attempt to connect
        self.address = ""  # that of the last or the successful one
        self.tls_version = self.cipher = ""
        self.sent: list[str] = []
        self.received: list[str] = []
        self.left_out = 0  # lines of the answer that were too many

    def __call__(self, kind: int, data: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT:
            self._note_text(printable(data[:LONGEST_LINE]))
        elif kind == pycurl.INFOTYPE_HEADER_OUT:
            self.sent += _lines(data)[: MOST_LINES - len(self.sent)]
        elif kind == pycurl.INFOTYPE_HEADER_IN:
            self._note_header(data)

    def _note_text(self, text: str) -> None:
        if (found := TRYING.search(text)) and len(self.tried) < MOST_LINES:
            self.tried.append(found[1])
        elif found := TLS.search(text):
            self.tls_version, self.cipher = found[1], found[2]

    def _note_header(self, data: bytes) -> None:
        if not (lines := _lines(data)):
            return
        if len(self.received) < MOST_LINES:
            self.received += lines[:1]
        else:
            self.left_out += 1


@dataclass(slots=True)
class Exchange:
    """One request: what libcurl told of it, and how it ended; None while it is under way."""

    account: Account = field(default_factory=Account)
    outcome: Outcome | None = None


@dataclass(slots=True)
class Trace:
    """A target's way: its look-up, and each request: HEAD, perhaps GET, perhaps a look at its certificate."""

    lookup: Lookup | None = None
    exchanges: list[Exchange] = field(default_factory=list)


def printable(data: bytes) -> str:
    """One line of text, whatever the bytes are."""
    text = data.decode("utf-8", "replace").strip()
    cut = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
    return "".join(letter if letter.isprintable() else "�" for letter in cut)


def _lines(data: bytes) -> list[str]:
    pieces = data[: MOST_LINES * LONGEST_LINE].split(b"\n")
    return [printable(piece[: 4 * LONGEST_LINE]) for piece in pieces if piece.strip()]
