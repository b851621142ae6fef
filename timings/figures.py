"""A receiver's figures: kept in its row, in the transaction that stores the samples they count."""

from __future__ import annotations

import socket
import time
from collections import Counter

from django.utils import timezone

from timings import receiver
from timings.inbox import Inbox
from timings.models import Receiver

OLD_S = 5.0  # without a message, the row is written so often: it shows that the receiver lives


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

    @property
    def stored(self) -> int:
        """Messages stored since the start."""
        return self._kept[0]

    @property
    def refused(self) -> Counter[str]:
        """Messages refused since the start, by reason."""
        return self._kept[1]

    def is_old(self) -> bool:
        return time.monotonic() - self._written_at > OLD_S

    def add(self, stored: int, refused: Counter[str]) -> None:
        """Write the figures with these added."""
        self._now = (self._kept[0] + stored, self._kept[1] + refused)
        before = self._before
        Receiver.objects.filter(pk=self._pk).update(
            updated=timezone.now(),
            received=before.received + self._inbox.received,
            stored=before.stored + self._now[0],
            refused=dict(Counter(before.refused) + self._now[1]),
            queue_full=before.queue_full + self._inbox.dropped,
            kernel_drops=before.kernel_drops + (receiver.kernel_drops(self._sock) or 0),
            queued=len(self._inbox),
            receive_buffer=receiver.room(self._sock),
        )

    def keep(self) -> None:
        self._kept = self._now
        self._written_at = time.monotonic()
