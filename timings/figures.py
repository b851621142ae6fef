"""A receiver's figures: kept in its row, in the transaction that stores the samples they count."""

from __future__ import annotations

import socket
import time
from collections import Counter
from typing import NamedTuple

from django.utils import timezone

from timings import receiver
from timings.inbox import Inbox
from timings.models import Receiver

OLD_S = 5.0  # without a message, the row is written so often: it shows that the receiver lives


class Figures(NamedTuple):
    """Messages since the start: ``received`` is what all the others add up to. Those ``waiting`` are in the
    queue, or in the batch that is being written.
    """

    received: int
    stored: int
    refused: Counter[str]
    dropped: int
    waiting: int


class Book:
    """Adds to the row of the receiver at this address; ``keep`` is called when the transaction is through."""

    def __init__(self, sock: socket.socket, inbox: Inbox) -> None:
        host, port = sock.getsockname()[:2]
        self.address = f"{host}:{port}"
        self._sock = sock
        self._inbox = inbox
        now = timezone.now()
        row, made = Receiver.objects.get_or_create(
            address=self.address, defaults={"started": now, "updated": now}
        )
        if not made:
            Receiver.objects.filter(pk=row.pk).update(started=now)
        self._pk = row.pk
        self._before = row
        self._kept = self._now = (0, Counter[str]())
        self._written_at = 0.0

    def figures(self) -> Figures:
        """As they are now; what is not through is not stored yet."""
        return self._figures(*self._kept)

    def is_old(self) -> bool:
        return time.monotonic() - self._written_at > OLD_S

    def add(self, stored: int, refused: Counter[str]) -> None:
        """Write the figures with these added."""
        self._now = (self._kept[0] + stored, self._kept[1] + refused)
        before, now = self._before, self._figures(*self._now)
        Receiver.objects.filter(pk=self._pk).update(
            updated=timezone.now(),
            received=before.received + now.received,
            stored=before.stored + now.stored,
            refused=dict(Counter(before.refused) + now.refused),
            queue_full=before.queue_full + now.dropped,
            kernel_drops=before.kernel_drops + (receiver.kernel_drops(self._sock) or 0),
            queued=now.waiting,
            receive_buffer=receiver.room(self._sock),
        )

    def _figures(self, stored: int, refused: Counter[str]) -> Figures:
        received, dropped = self._inbox.counts()
        return Figures(received, stored, refused, dropped, received - dropped - stored - refused.total())

    def keep(self) -> None:
        self._kept = self._now
        self._written_at = time.monotonic()
