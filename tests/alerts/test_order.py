"""What is about the same reaches each recipient in the order in which it was written."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Exists

from alerts import ledger, watch
from alerts.channels.shape import Refused, Sent
from alerts.claims import DIED, LEASE_MARGIN_S, before_outer, claim, due, due_by_channel
from alerts.models import Alert, Attempt, Delivery
from alerts.outbox import AlertDraft, enqueue
from alerts.queries import backlog
from alerts.sending import SendReport, send_due
from tests.alerts.conftest import NOW, Clock, Fake

pytestmark = pytest.mark.django_db
BUSY = Refused("greylisted or busy, try later: 450 wait", retry_after_s=7200)


def tell(subject: str, channel: Fake, at: datetime = NOW, reference: str = "outage:1") -> None:
    enqueue(AlertDraft(reference, subject, "t", "h", None), at, [channel])


def heard(channel: Fake) -> list[str]:
    return [message.subject for message in channel.messages]


def send(channel: Fake, clock: Clock) -> SendReport:
    return send_due(channels={channel.name: channel}, clock=clock)


def test_the_end_is_not_told_before_the_beginning(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    send(mail, clock)
    mail.answers.clear()
    tell("Up again", mail, clock.move(minutes=5))
    tell("Down", mail, clock(), "outage:2")
    send(mail, clock)
    assert [message.reference for message in mail.messages] == ["outage:1", "outage:2"]
    clock.move(hours=2)
    send(mail, clock)
    assert heard(mail)[2:] == ["Up again (late, and before it: Down)"]


def test_what_is_late_goes_in_one_message_in_its_order(clock: Clock) -> None:
    mail = Fake()
    tell("Down", mail)
    tell("Up again", mail, clock.move(minutes=5))
    assert str(send(mail, clock)) == "2 alerts sent"
    (message,) = mail.messages
    assert message.subject == "Up again (late, and before it: Down)"
    assert message.text.index("* Down") < message.text.index("* Up again")
    assert message.key == Delivery.objects.latest("pk").key  # who knows the first must not drop it
    assert set(Delivery.objects.values_list("state", "tries", "claim")) == {("sent", 1, None)}
    assert [attempt.result for attempt in Attempt.objects.all()] == [
        "sent",
        "sent, in one message with what came before",
    ]


def test_a_refused_message_of_two_is_tried_again_as_one(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    tell("Up again", mail)
    send(mail, clock)
    assert set(Delivery.objects.values_list("state", "claim", "lease_until")) == {("pending", None, None)}
    mail.answers.clear()
    clock.move(hours=3)
    send(mail, clock)
    assert heard(mail) == ["Up again (late, and before it: Down)"] * 2
    assert len({message.key for message in mail.messages}) == 1


def test_what_a_dead_sender_had_in_one_message_is_repeated_as_one(clock: Clock) -> None:
    mail = Fake()
    tell("Down", mail)
    tell("Up again", mail)
    claim(Delivery.objects.earliest("pk").pk, due_at=NOW, now=NOW, limit_s=10)
    send(mail, clock)
    assert heard(mail) == []
    clock.move(seconds=10 + LEASE_MARGIN_S)
    send(mail, clock)
    assert heard(mail) == ["Up again (late, and before it: Down)"]


def test_of_a_message_whose_sender_died_each_part_says_so(clock: Clock) -> None:
    mail = Fake()
    tell("Down", mail)
    tell("Up again", mail)
    claim(Delivery.objects.earliest("pk").pk, due_at=NOW, now=NOW, limit_s=10)
    clock.move(seconds=10 + LEASE_MARGIN_S)
    send(mail, clock)
    for delivery in Delivery.objects.all():
        assert [(each.ok, each.result == DIED) for each in delivery.attempts.all()] == [
            (False, True),
            (True, False),
        ]


def test_posts_that_do_not_fit_together_come_one_after_the_other(clock: Clock) -> None:
    x = Fake(name="twitter", public=True, to=[""])
    for words in ("Down" + "x" * 200, "Also" + "y" * 200, "Up again"):
        enqueue(AlertDraft("outage:1", words, "t", "h", words), NOW, [x])
    send(x, clock)
    assert [post.public for post in x.messages] == [
        "Down" + "x" * 200,
        "Also" + "y" * 200 + ". Up again",
    ]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_what_was_given_up_by_hand_is_in_no_message(clock: Clock) -> None:
    mail = Fake()
    for subject in ("Down", "Also down", "Up again"):
        tell(subject, mail)
    ledger.drop([Delivery.objects.get(alert__subject="Also down").pk], "sam", NOW)
    send(mail, clock)
    assert heard(mail) == ["Up again (late, and before it: Down)"]


def test_a_refusal_in_the_round_holds_back_that_address_alone(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"a@x.org": BUSY})
    tell("Down", mail)
    tell("Up again", mail)
    send(mail, clock)
    assert [(each.address, each.subject) for each in mail.messages] == [
        ("a@x.org", "Up again (late, and before it: Down)"),
        ("b@x.org", "Up again (late, and before it: Down)"),
    ]


def test_what_a_dead_sender_has_under_way_goes_first(clock: Clock) -> None:
    mail = Fake()
    tell("Down", mail)
    claim(Delivery.objects.get().pk, due_at=NOW, now=NOW, limit_s=10)
    tell("Up again", mail)
    send(mail, clock)
    assert heard(mail) == []
    clock.move(seconds=10 + LEASE_MARGIN_S)
    send(mail, clock)
    assert heard(mail) == ["Up again (late, and before it: Down)"]


def test_what_was_given_up_holds_nobody_back(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    send(mail, clock)
    mail.answers.clear()
    tell("Up again", mail, clock.move(hours=23))
    clock.move(hours=1)
    send(mail, clock)
    assert heard(mail) == ["Down", "Up again"]


def test_who_waits_for_a_turn_takes_no_place_in_the_round(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    send(mail, clock)
    tell("Up again", mail)
    tell("Down", mail, NOW, "outage:2")
    (key,) = due_by_channel(NOW, NOW, 1)["email"]
    assert Delivery.objects.get(pk=key).alert.reference == "outage:2"


@pytest.mark.parametrize("outcome", [BUSY, Sent()], ids=["held-back", "its-turn-came"])
def test_waiting_for_a_turn_is_no_dead_outbox(clock: Clock, outcome: Refused | Sent) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    send(mail, clock)
    tell("Up again", mail, clock.move(minutes=1))
    clock.move(hours=2)
    held = claim(Delivery.objects.earliest("pk").pk, due_at=clock(), now=clock(), limit_s=10)
    assert held is not None
    ledger.record(held, "email", outcome, 1.0, clock())
    assert backlog(clock()).overdue_s == 0
    assert all(part.ok for part in watch.health(clock()))


def test_after_an_expiry_the_next_is_due_only_now(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": BUSY})
    tell("Down", mail)
    send(mail, clock)
    tell("Up again", mail, clock.move(hours=1))
    ledger.expire(clock.move(hours=23))
    assert (backlog(clock()).pending, backlog(clock()).overdue_s) == (1, 0)


def test_the_question_whose_turn_it_is_does_not_read_the_outbox_for_each(clock: Clock) -> None:
    Alert.objects.bulk_create(
        Alert(reference=f"outage:{n}", text="t", created=NOW, expires=NOW + timedelta(1)) for n in range(500)
    )
    Delivery.objects.bulk_create(
        Delivery(alert=alert, channel="email", address=f"{n}@x.org", next_try=NOW)
        for alert in Alert.objects.all()
        for n in range(4)
    )
    if connection.vendor == "postgresql":
        connection.cursor().execute("ANALYZE")  # which autovacuum does there, and nobody does on SQLite
    held_back = Exists(before_outer().exclude(due(NOW, NOW)))
    plan = Delivery.objects.filter(due(NOW, NOW)).exclude(held_back).order_by("pk").explain()
    assert ("Anti Join" if connection.vendor == "postgresql" else "delivery_turn") in plan
