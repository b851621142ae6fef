"""Who may send what, and what happens to the claim of a sender that died."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from alerts import ledger
from alerts.channels.shape import Refused, Sent
from alerts.claims import DIED, LEASE_MARGIN_S, Claim, claim
from alerts.models import Alert, Attempt, Delivery
from alerts.outbox import enqueue
from alerts.sending import send_due
from tests.alerts.conftest import DRAFT, NOW, Clock, Fake

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=10 + LEASE_MARGIN_S)


@pytest.fixture
def key() -> int:
    return enqueue(DRAFT, NOW, [Fake()]).deliveries.get().pk


def take(key: int, clock: Clock) -> Claim | None:
    return claim(key, due_at=clock(), now=clock(), limit_s=10)


def taken(key: int, clock: Clock) -> Claim:
    held = take(key, clock)
    assert held is not None
    return held


def test_only_the_first_gets_it(key: int, clock: Clock) -> None:
    assert take(key, clock)
    assert take(key, clock) is None


def test_a_claimed_one_is_not_sent_by_others(key: int, clock: Clock) -> None:
    mail = Fake()
    take(key, clock)
    send_due(channels={"email": mail}, clock=clock)
    assert mail.messages == []


def test_after_its_lease_it_is_sent_again_and_the_dead_sender_is_told_of(key: int, clock: Clock) -> None:
    mail, first = Fake(), taken(key, clock)
    clock.move(seconds=LEASE.total_seconds())
    send_due(channels={"email": mail}, clock=clock)
    assert [each.key for each in mail.messages] == [first.message.key]
    dead, _ = Attempt.objects.values_list("ok", "result", "elapsed_ms")
    assert dead == (False, DIED, None)
    assert Delivery.objects.get().tries == 2


@pytest.mark.parametrize("outcome", [Sent(), Refused("late")], ids=["sent", "refused"])
def test_who_lost_the_claim_does_not_write_the_state(key: int, clock: Clock, outcome: Sent | Refused) -> None:
    late = taken(key, clock)
    clock.move(seconds=LEASE.total_seconds())
    new = taken(key, clock)
    ledger.record(late, "email", outcome, 1.0, clock())
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.claim) == ("pending", new.token)
    assert delivery.attempts.filter(result=outcome.reason).exists()  # it was tried: that is told


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": Delivery.State.SENT}, id="sent"),
        pytest.param({"state": Delivery.State.EXPIRED}, id="given-up"),
        pytest.param({"next_try": NOW + timedelta(seconds=1)}, id="not-due"),
    ],
)
def test_nothing_to_claim(key: int, clock: Clock, changes: dict[str, object]) -> None:
    Delivery.objects.filter(pk=key).update(**changes)
    assert take(key, clock) is None


def test_a_deleted_one_is_no_error(key: int, clock: Clock) -> None:
    Alert.objects.all().delete()
    assert take(key, clock) is None


def test_what_is_under_way_is_neither_put_off_nor_given_up(key: int, clock: Clock) -> None:
    take(key, clock)
    assert ledger.put_off("email", Refused("down"), due_at=clock(), now=clock()) == 0
    Alert.objects.update(expires=NOW)
    assert ledger.expire(clock()) == 0


def test_the_question_what_is_due_uses_its_index(key: int) -> None:
    Delivery.objects.bulk_create(
        Delivery(alert=Alert.objects.get(), channel=str(n), state="sent", next_try=NOW) for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = Delivery.objects.filter(state="pending", next_try__lte=NOW).order_by().explain()
    assert "delivery_due" in plan
