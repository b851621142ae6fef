"""What the tests of the outbox share: an alert, a clock that is told the time, settings of the channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.channels.shape import Message, Outcome, Sent
from alerts.outbox import AlertDraft
from djamon.lib.uuid7 import uuid7

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DRAFT = AlertDraft("outage:12", "Shop is down", "Shop is down.\n", "<p>Shop is down.</p>", "Shop is down")


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@dataclass
class Fake:
    """A channel that answers as it is told, for the rules that no network is needed for."""

    name: str = "email"
    label: str = "e-mail"
    public: bool = False
    limit_s: float = 10.0
    to: list[str] = field(default_factory=lambda: ["a@example.org"])
    answers: dict[str, Any] = field(default_factory=dict)  # by address; an exception is raised
    messages: list[Message] = field(default_factory=list)
    closed: int = 0

    def recipients(self) -> list[str]:
        return self.to

    def send(self, message: Message) -> Outcome:
        self.messages.append(message)
        answer = self.answers.get(message.address, Sent())
        if isinstance(answer, Exception):
            raise answer
        outcome: Outcome = answer() if callable(answer) else answer
        return outcome

    def close(self) -> None:
        self.closed += 1


def message(address: str = "a@example.org", **other: Any) -> Message:
    given: dict[str, Any] = {
        "reference": "outage:12",
        "subject": "Shop is down",
        "text": "Shop is down.\n",
        "created": NOW,
    }
    given |= {"html": "<p>Shop is down.</p>", "public": "Shop is down", "key": uuid7()} | other
    return Message(address=address, **given)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mail_settings(settings: Any) -> Any:
    """Django's real SMTP backend (its test runner puts another in place), with little patience."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_TIMEOUT = 0.5
    settings.FROM_EMAIL = "djamon@example.org"
    settings.TO_EMAIL = ["a@example.org", "b@example.org", "c@example.org"]
    return settings


@pytest.fixture
def x_settings(settings: Any) -> Any:
    settings.TWITTER = True
    settings.CONSUMER_KEY, settings.CONSUMER_SECRET = "consumer-key", "consumer-secret"
    settings.OAUTH_TOKEN, settings.OAUTH_SECRET = "oauth-token", "oauth-secret"
    return settings
