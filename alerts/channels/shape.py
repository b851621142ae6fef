"""The shape that every channel has: what it is given, what it answers. No channel is named here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient; ``key`` is the same each time that it is tried."""

    key: UUID
    address: str
    reference: str
    subject: str
    text: str
    html: str
    public: str | None
    created: datetime


class Blame(Enum):
    """What a refusal says of the next message on the same channel."""

    MESSAGE = "this message or address: the next may go through"
    CONNECTION = "the connection broke: a new one may hold"
    CHANNEL = "whoever is told next will be refused as well"


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has taken it over."""

    reason: str = "sent"


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent, or nobody knows: ``reason`` in words, general words before the first colon.

    ``retry_after_s``: seconds that the receiver wants to be left alone.
    """

    reason: str
    retry_after_s: float | None = None
    blame: Blame = Blame.MESSAGE


Outcome = Sent | Refused


class Channel(Protocol):
    """One way to tell people. An object serves one round of sending, in one thread, without the database.

    ``send`` gives expected failures as values. It is given up on after ``limit_s`` seconds.
    """

    @property
    def name(self) -> str:
        """As stored with each delivery: never changes."""

    @property
    def label(self) -> str:
        """As people call it."""

    @property
    def public(self) -> bool:
        """Whether it tells the world: then it takes ``Message.public`` and nothing else."""

    @property
    def limit_s(self) -> float: ...

    def recipients(self) -> list[str]:
        """Whom the settings name; ``[""]`` where there can be one only, ``[]`` where it is switched off."""

    def send(self, message: Message) -> Outcome: ...

    def close(self) -> None:
        """End of the round: lets go of connections, never raises for expected failures."""
