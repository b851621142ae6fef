"""Where people read what was told of a subject: apps announce it by the first word of their references.

The outbox itself knows none of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ledger:
    """The page that leads to every attempt: its ``url_name``, without arguments, and the words of a link."""

    url_name: str
    link_text: str


ledgers: dict[str, Ledger] = {}  # "outage" for references such as "outage:12"
