"""What pages and health may ask of the outbox; query counts don't grow with its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db.models import Count, Exists, Min, Q

from alerts.channels import label_of, open_channels
from alerts.claims import before_outer, unleased
from alerts.ledger import PUT_OFF
from alerts.models import Alert, ChannelTotal, Delivery
from alerts.retry import LIFETIME
from alerts.subjects import Ledger, ledgers

PENDING, EXPIRED = Delivery.State.PENDING, Delivery.State.EXPIRED
REASONS_READ = 50  # different reasons at once; more would not fit into a sentence anyway


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Alerts (not deliveries) that did not reach everybody; ``reasons``: general words by channel label.

    ``ledgers``: the pages that show every attempt.
    """

    waiting: int
    expired: int
    oldest_age_s: float | None
    reasons: dict[str, str]
    ledgers: tuple[Ledger, ...] = ()

    @property
    def why(self) -> str:
        return "; ".join(f"{label}: {reason}" for label, reason in self.reasons.items())


@dataclass(frozen=True, slots=True)
class Backlog:
    """All that waits; ``overdue_s``: how long the longest has been due with nobody sending it."""

    pending: int
    oldest_age_s: float
    overdue_s: float


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    label: str
    recipients: tuple[str, ...]  # ("",) where there can be one only


def alerts_about(reference: str) -> list[Alert]:
    """The alerts about a subject, oldest first, with deliveries and attempts: three queries."""
    about = Alert.objects.filter(reference=reference).order_by("created", "pk")
    return list(about.prefetch_related("deliveries__attempts"))


def undelivered(now: datetime) -> Undelivered:
    """What was tried or put off without success, what waits behind it, and what was given up of late: in the
    last 24 hours.
    """
    failed = ~Q(last_result="")
    # Subjects first: to look for one before each of all that wait would take seconds for some thousand.
    subjects = Delivery.objects.filter(failed, state=PENDING).values("alert__reference")
    behind = Q(alert__reference__in=subjects) & Q(Exists(before_outer().filter(failed)))
    failing = Q(state=PENDING) & (failed | behind)
    # An alert is given up at its expiry or, where the next try would come too late, minutes before.
    given_up = Q(state=EXPIRED, alert__expires__gt=now - LIFETIME)
    figures = Delivery.objects.filter(failing | given_up).aggregate(
        waiting=Count("alert", distinct=True, filter=Q(state=PENDING)),
        expired=Count("alert", distinct=True, filter=Q(state=EXPIRED)),
        oldest=Min("alert__created", filter=Q(state=PENDING)),
        **{f"of_{kind}": Count("pk", filter=Q(alert__reference__startswith=f"{kind}:")) for kind in ledgers},
    )
    oldest = figures["oldest"]
    return Undelivered(
        waiting=figures["waiting"],
        expired=figures["expired"],
        oldest_age_s=(now - oldest).total_seconds() if oldest else None,
        reasons=_reasons(Q(state=PENDING) | given_up) if figures["waiting"] or figures["expired"] else {},
        ledgers=tuple(ledger for kind, ledger in ledgers.items() if figures[f"of_{kind}"]),
    )


def _reasons(of: Q) -> dict[str, str]:
    """The most frequent reason by channel, without the receiver's own words.

    Those may name addresses, and a banner may be public. The details stand with each attempt. What waits
    behind another has no reason of its own: it is held up by that one's.
    """
    waiting = Delivery.objects.filter(state=PENDING).order_by()
    first = waiting.values("channel", "address", "alert__reference").annotate(first=Min("pk")).values("first")
    rows = (
        Delivery.objects.filter(of)
        .exclude(Q(state=PENDING) & ~Q(pk__in=first))
        .exclude(last_result="")
        .order_by()
        .values_list("channel", "last_result")
        .annotate(times=Count("pk"))
        .order_by("-times", "last_result")[:REASONS_READ]
    )
    reasons: dict[str, str] = {}
    for channel, result, _ in rows:
        reasons.setdefault(label_of(channel), result.removeprefix(PUT_OFF).partition(":")[0])
    return reasons


def backlog(now: datetime) -> Backlog:
    # What waits for its turn, or for the end of a pause, is overdue to nobody.
    sendable = unleased(now) & Q(next_try__lte=now) & Q(~Exists(before_outer()))
    figures = Delivery.objects.filter(state=PENDING).aggregate(
        pending=Count("pk"),
        oldest=Min("alert__created"),
        due=Min("next_try", filter=sendable),
    )
    oldest, due = (cast("datetime | None", figures[name]) for name in ("oldest", "due"))
    return Backlog(
        pending=figures["pending"],
        oldest_age_s=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        overdue_s=(now - due).total_seconds() if due else 0.0,
    )


def totals() -> list[ChannelTotal]:
    """Attempts since ever, a row for each channel."""
    return list(ChannelTotal.objects.order_by("channel"))


def configured() -> list[ConfiguredChannel]:
    """Who is told, by the settings; an empty list: nobody."""
    each = ((channel.label, tuple(channel.recipients())) for channel in open_channels().values())
    return [ConfiguredChannel(label, recipients) for label, recipients in each if recipients]
