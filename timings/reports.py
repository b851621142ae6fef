"""What the receivers tell of themselves, for pages: whether one lives, and what came and went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from timings.models import Receiver

# A receiver writes its row every 5 s at least; longer than this, it has ended or cannot write.
SILENT_AFTER = timedelta(seconds=15)
LEFT_OUT_AFTER = timedelta(days=1)  # silent for so long, most likely nobody expects it back
MOST_SHOWN = 10
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104  (an address that is compared with, not bound to)


@dataclass(frozen=True, slots=True)
class Report:
    """A receiver's figures since its installation; ``lives`` while it reports."""

    address: str
    lives: bool
    updated: datetime
    received: int
    stored: int
    refused: list[tuple[str, int]]  # by reason, the most frequent first
    queue_full: int
    kernel_drops: int
    queued: int
    receive_buffer: int

    @property
    def refused_in_all(self) -> int:
        return sum(count for _, count in self.refused)


@dataclass(frozen=True, slots=True)
class Reports:
    """The receivers of the last day, or else the last one; those that live first. How many are left out."""

    shown: Sequence[Report]
    left_out: int

    @property
    def living(self) -> list[Report]:
        return [report for report in self.shown if report.lives]

    @property
    def last(self) -> Report | None:
        """The one that reported last."""
        return max(self.shown, key=lambda report: report.updated, default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """Where programs send to, as seen from the browser: ``is_usual`` where the decorator does so unasked."""

    host: str
    port: str
    is_usual: bool


def reports(now: datetime) -> Reports:
    """Two queries."""
    rows = list(Receiver.objects.order_by("-updated")[:MOST_SHOWN])
    recent = [row for row in rows if now - row.updated <= LEFT_OUT_AFTER] or rows[:1]
    found = sorted(
        (_report(row, now) for row in recent), key=lambda report: (not report.lives, report.address)
    )
    return Reports(found, Receiver.objects.count() - len(found))


def _report(row: Receiver, now: datetime) -> Report:
    return Report(
        row.address,
        lives(row.updated, now),
        row.updated,
        row.received,
        row.stored,
        sorted(row.refused.items(), key=lambda one: (-one[1], one[0])),
        row.queue_full,
        row.kernel_drops,
        row.queued,
        row.receive_buffer,
    )


def lives(updated: datetime, now: datetime) -> bool:
    """A clock that was set back may show the last report in the future, though not by far."""
    return abs(now - updated) <= SILENT_AFTER


def target(found: Reports, page_host: str) -> Target:
    """The receiver that lives, else where the settings have it; listening on all, it has the page's host."""
    host, port = settings.KODEMON_HOST, str(settings.KODEMON_PORT)
    if found.living:
        host, _, port = found.living[0].address.rpartition(":")
    if host in EVERYWHERE:
        host = page_host
    if port == "0":
        port = "PORT"  # the system gives one away when the receiver starts
    return Target(host, port, is_usual=host in {"127.0.0.1", "localhost"} and port == "4000")
