"""Who sends what: a delivery belongs to whoever's conditional UPDATE changed its row, for a time.

Nothing is sent here. Times are passed in; a claim is one short transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts.channels.shape import Message
from alerts.joining import MOST, fitting, joined
from alerts.models import Alert, Attempt, Delivery

# Beyond the time after which a send is given up: writing its outcome must fall into the lease too.
LEASE_MARGIN_S = 60.0
DIED = "the sender died while sending: whether it arrived is not known"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one delivery; ``tries`` counts the failed ones before, ``due_at`` is its round's.

    ``with_it``: later deliveries to the same recipient about the same that go in the same message.
    """

    delivery_id: int
    token: UUID
    at: datetime
    due_at: datetime
    tries: int
    expires: datetime
    message: Message
    with_it: tuple[int, ...] = ()


def unleased(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def before(channel: Any, address: Any, reference: Any, key: Any) -> QuerySet[Delivery]:
    """What the same recipient must hear first: earlier alerts about the same that wait or are under way.

    Each is a value, or an OuterRef.
    """
    return _same(channel, address, reference).filter(pk__lt=key)


def _same(channel: Any, address: Any, reference: Any) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        state=Delivery.State.PENDING, channel=channel, address=address, alert__reference=reference
    )


def before_outer() -> QuerySet[Delivery]:
    """As :func:`before`, of the delivery that the query around this one looks at."""
    return before(OuterRef("channel"), OuterRef("address"), OuterRef("alert__reference"), OuterRef("pk"))


def due(due_at: datetime, now: datetime) -> Q:
    """What waits: due at ``due_at``, and in nobody's hands ``now``; its turn may yet have to come."""
    return unleased(now) & Q(state=Delivery.State.PENDING, next_try__lte=due_at)


def due_by_channel(due_at: datetime, now: datetime, limit: int) -> dict[str, list[int]]:
    """For each channel the keys of what is due, oldest first, ``limit`` of them at most.

    What must wait for another that is not due now is left out: it would only take the place of others.
    """
    held_back = Exists(before_outer().exclude(due(due_at, now)))
    waiting = Delivery.objects.filter(due(due_at, now)).exclude(held_back).order_by("pk")
    names = waiting.order_by("channel").values_list("channel", flat=True).distinct()
    return {
        name: list(waiting.filter(channel=name).values_list("pk", flat=True)[:limit]) for name in list(names)
    }


def claim(
    delivery_id: int, *, due_at: datetime, now: datetime, limit_s: float, public: bool = False
) -> Claim | None:
    """The claim on a delivery whose turn it is, or None: another sender was quicker, or it is done.

    ``public``: the channel takes posts, so only as much is taken along as one post holds.
    """
    token, until = uuid4(), now + timedelta(seconds=limit_s + LEASE_MARGIN_S)
    with transaction.atomic():
        found = Delivery.objects.filter(pk=delivery_id)
        row = found.values("claim", "lease_until", "channel", "address", "alert__reference").first()
        if row is None:
            return None
        # Values, no OuterRef: with a join PostgreSQL would test the claim on a row as it was.
        first = before(row["channel"], row["address"], row["alert__reference"], delivery_id)
        won = found.filter(due(due_at, now), ~Exists(first), claim=row["claim"]).update(
            claim=token, lease_until=until
        )
        if not won:
            return None
        if row["claim"] is not None:
            _note_the_dead(delivery_id, row["lease_until"] or now)
        later = _same(row["channel"], row["address"], row["alert__reference"]).filter(pk__gt=delivery_id)
        with_it = _take_along(delivery_id, later.filter(unleased(now)), token, until, public=public)
    return _claimed((delivery_id, *with_it), token, now, due_at)


def _take_along(
    delivery_id: int, later: QuerySet[Delivery], token: UUID, until: datetime, *, public: bool
) -> list[int]:
    """Claim what waited for this one's turn: both are late, and one message tells them better than two.

    No other sender takes any of it meanwhile, for its turn comes after the one that is ours; but somebody may
    give it up by hand, so each is claimed where it still waits.
    """
    rows = list(later.order_by("pk").values("pk", "claim", "lease_until", "alert__public")[: MOST - 1])
    if public and rows:
        own = Alert.objects.values_list("public", flat=True).get(deliveries=delivery_id)
        rows = rows[: fitting([own or "", *(row["alert__public"] or "" for row in rows)]) - 1]
    taken = []
    for row in rows:
        if not later.filter(pk=row["pk"]).update(claim=token, lease_until=until):
            continue
        taken.append(row["pk"])
        if row["claim"] is not None:
            _note_the_dead(row["pk"], row["lease_until"] or until)
    return taken


def _note_the_dead(delivery_id: int, lease_until: datetime) -> None:
    """The try of a sender that never came back to write its outcome belongs into the ledger as well."""
    Attempt.objects.create(delivery_id=delivery_id, at=lease_until, ok=False, result=DIED)
    Delivery.objects.filter(pk=delivery_id).update(tries=F("tries") + 1, last_result=DIED)


def _claimed(keys: tuple[int, ...], token: UUID, now: datetime, due_at: datetime) -> Claim:
    deliveries = list(Delivery.objects.select_related("alert").filter(pk__in=keys).order_by("pk"))
    first = deliveries[0]
    message = joined([_message(delivery) for delivery in deliveries])
    expires = first.alert.expires
    return Claim(first.pk, token, now, due_at, first.tries, expires, message, tuple(keys[1:]))


def _message(delivery: Delivery) -> Message:
    alert = delivery.alert
    return Message(
        key=delivery.key,
        address=delivery.address,
        reference=alert.reference,
        subject=alert.subject,
        text=alert.text,
        html=alert.html,
        public=alert.public,
        created=alert.created,
    )
