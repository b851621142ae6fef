"""The way in: an alert is written here, in the transaction that changes what it is about, and sent later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from alerts.channels import open_channels
from alerts.channels.shape import Channel
from alerts.models import SUBJECT_LENGTH, Alert, Delivery
from alerts.retry import LIFETIME
from alerts.words import one_line


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """What is to be told. ``public`` (at most 280 characters) is for the world; None tells it nothing."""

    reference: str
    subject: str
    text: str
    html: str
    public: str | None


def enqueue(draft: AlertDraft, now: datetime, channels: Iterable[Channel] | None = None) -> Alert:
    """Write the alert and a delivery for each recipient of each channel that is configured.

    An alert without deliveries is kept too: the pages then say that nobody is configured to be told.
    """
    alert = Alert(
        reference=draft.reference,
        subject=one_line(draft.subject, SUBJECT_LENGTH),
        text=_storable(draft.text),
        html=_storable(draft.html),
        public=None if draft.public is None else _storable(draft.public),
        created=now,
        expires=now + LIFETIME,
    )
    with transaction.atomic(savepoint=False):
        alert.save(force_insert=True)
        Delivery.objects.bulk_create(
            Delivery(alert=alert, channel=channel.name, address=address, next_try=now)
            for channel in (open_channels().values() if channels is None else channels)
            if draft.public is not None or not channel.public
            for address in channel.recipients()
        )
    return alert


def _storable(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL refuses it, and the outage would be lost with the alert
