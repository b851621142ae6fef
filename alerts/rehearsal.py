"""A test message through every configured channel, past the outbox, so that the answers are seen at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from alerts.channels import open_channels
from alerts.channels.shape import Channel, Message, Sent
from alerts.words import result_line
from alerts.workers import try_sending
from djamon.lib.uuid7 import uuid7


def rehearse() -> Iterator[tuple[str, bool]]:
    """For each recipient a line (``e-mail to a@example.org: sent``) and whether it was sent."""
    for channel in open_channels().values():
        try:
            for address in channel.recipients():
                yield _rehearse_one(channel, address)
        finally:
            channel.close()


def _rehearse_one(channel: Channel, address: str) -> tuple[str, bool]:
    outcome = try_sending(channel, message(address, timezone.now()))
    whom = f"{channel.label} to {address}" if address else channel.label
    if isinstance(outcome, Sent):
        return f"{whom}: sent", True
    return f"{whom}: refused: {result_line(outcome.reason)}", False


def message(address: str, now: datetime) -> Message:
    """The words say when: X refuses a post that it has seen before."""
    words = f"Djamon on {socket.gethostname()} tests its alerts ({now:%Y-%m-%d %H:%M:%S} UTC)."
    return Message(
        key=uuid7(),
        address=address,
        reference="test",
        subject="Djamon: test of the alerts",
        text=f"{words}\n\nIf you read this, alerts of outages will reach you here too.\n",
        html=f"<p>{words}</p><p>If you read this, alerts of outages will reach you here too.</p>",
        public=f"This is a test of an alert: all is well. ({now:%Y-%m-%d %H:%M:%S} UTC)",
        created=now,
    )
