"""The threads that talk to the outside: one for each channel, so that none waits for another.

They never touch the database: messages come in, answers go out, the calling thread writes.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from uuid import UUID

from alerts.channels.shape import Channel, Message, Outcome, Refused
from alerts.words import result_line

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel made of the message that was given under ``token``."""

    token: UUID
    outcome: Outcome
    elapsed_ms: float


def try_sending(channel: Channel, message: Message) -> Outcome:
    """The channel's outcome; what it did not expect is logged and counts as a refusal of this message."""
    try:
        return channel.send(message)
    except Exception as error:
        # No message of the error: who knows what a library puts there.
        logger.exception("alerts: %s failed in a way nobody expected", channel.label)
        return Refused(result_line(f"unexpected fault of ours: {type(error).__name__}, see the log"))


class Worker:
    """A thread that sends what it is given, one after the other. It is a daemon: a hung one keeps nobody."""

    def __init__(self, channel: Channel, answers: SimpleQueue[Answer]) -> None:
        self._channel = channel
        self._answers = answers
        self._messages: SimpleQueue[tuple[UUID, Message] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=f"alerts-{channel.name}", daemon=True)
        self._thread.start()

    def give(self, token: UUID, message: Message) -> None:
        self._messages.put((token, message))

    def end(self) -> None:
        """Let it close its connection after what it has under way."""
        self._messages.put(None)

    def wait(self, seconds: float) -> None:
        """Until it has closed its connection, but not longer than ``seconds``."""
        self._thread.join(seconds)

    def _work(self) -> None:
        while (given := self._messages.get()) is not None:
            token, message = given
            start = time.monotonic()
            outcome = try_sending(self._channel, message)
            self._answers.put(Answer(token, outcome, (time.monotonic() - start) * 1000))
        try:
            self._channel.close()
        except Exception:
            logger.exception("alerts: %s could not be closed", self._channel.label)
