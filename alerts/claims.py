"""Who sends what: a delivery belongs to whoever's conditional UPDATE changed its row, for a time.

Nothing is sent here. Times are passed in; a claim is one short transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q

from alerts.channels.shape import Message
from alerts.models import Attempt, Delivery

# Beyond the time after which a send is given up: writing its outcome must fall into the lease too.
LEASE_MARGIN_S = 60.0
DIED = "the sender died while sending: whether it arrived is not known"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one delivery; ``tries`` counts the failed ones before."""

    delivery_id: int
    token: UUID
    at: datetime
    tries: int
    expires: datetime
    message: Message


def unleased(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def due(due_at: datetime, now: datetime) -> Q:
    """What waits to be sent: due at ``due_at``, and in nobody's hands ``now``."""
    return unleased(now) & Q(state=Delivery.State.PENDING, next_try__lte=due_at)


def due_by_channel(due_at: datetime, now: datetime, limit: int) -> dict[str, list[int]]:
    """For each channel the keys of what is due, oldest first, ``limit`` of them at most."""
    waiting = Delivery.objects.filter(due(due_at, now)).order_by("pk")
    names = waiting.order_by("channel").values_list("channel", flat=True).distinct()
    return {
        name: list(waiting.filter(channel=name).values_list("pk", flat=True)[:limit]) for name in list(names)
    }


def claim(delivery_id: int, *, due_at: datetime, now: datetime, limit_s: float) -> Claim | None:
    """The claim on a delivery that is due, or None: another sender was quicker, or it is done."""
    token = uuid4()
    with transaction.atomic():
        before = Delivery.objects.filter(pk=delivery_id).values("claim", "lease_until").first()
        if before is None:
            return None
        won = Delivery.objects.filter(due(due_at, now), pk=delivery_id, claim=before["claim"]).update(
            claim=token, lease_until=now + timedelta(seconds=limit_s + LEASE_MARGIN_S)
        )
        if not won:
            return None
        if before["claim"] is not None:
            _note_the_dead(delivery_id, before["lease_until"] or now)
    return _claimed(delivery_id, token, now)


def _note_the_dead(delivery_id: int, lease_until: datetime) -> None:
    """The try of a sender that never came back to write its outcome belongs into the ledger as well."""
    Attempt.objects.create(delivery_id=delivery_id, at=lease_until, ok=False, result=DIED)
    Delivery.objects.filter(pk=delivery_id).update(tries=F("tries") + 1, last_result=DIED)


def _claimed(delivery_id: int, token: UUID, now: datetime) -> Claim:
    delivery = Delivery.objects.select_related("alert").get(pk=delivery_id)
    alert = delivery.alert
    message = Message(
        key=delivery.key,
        address=delivery.address,
        reference=alert.reference,
        subject=alert.subject,
        text=alert.text,
        html=alert.html,
        public=alert.public,
        created=alert.created,
    )
    return Claim(delivery_id, token, now, delivery.tries, alert.expires, message)
