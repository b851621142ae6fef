"""What the pages read of the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from alerts.channels.shape import Blame, Refused
from alerts.models import Alert, Delivery
from alerts.outbox import AlertDraft, enqueue
from alerts.queries import ConfiguredChannel, alerts_about, backlog, configured, undelivered
from alerts.sending import send_due
from tests.alerts.conftest import DRAFT, NOW, Clock, Fake

pytestmark = pytest.mark.django_db
NO = Refused("the server refused this address: 550 <b@x.org> no")
DOWN = Refused("connection refused", blame=Blame.CHANNEL)


def many(count: int, clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"b@x.org": NO})
    for _ in range(count):
        enqueue(DRAFT, clock.move(seconds=1), [mail])
    for _ in range(3):
        send_due(channels={"email": mail}, clock=clock)
        clock.move(hours=1)


@pytest.mark.parametrize("count", [1, 8])
def test_alerts_about_costs_three_queries(clock: Clock, count: int, django_assert_num_queries: Any) -> None:
    many(count, clock)
    with django_assert_num_queries(3):
        told = alerts_about("outage:12")
        tries = [len(each.attempts.all()) for alert in told for each in alert.deliveries.all()]
    assert tries == [1, 3, *[1, 0] * (count - 1)]  # the refused first one holds back what follows


def test_alerts_about_is_oldest_first_and_about_nothing_else(clock: Clock) -> None:
    for reference in ("outage:1", "outage:12", "outage:1"):
        enqueue(AlertDraft(reference, "s", "t", "h", None), clock.move(seconds=-1), [])
    assert [alert.created for alert in alerts_about("outage:1")] == [
        NOW - timedelta(seconds=3),
        NOW - timedelta(seconds=1),
    ]


def test_question_about_a_reference_uses_its_index() -> None:
    Alert.objects.bulk_create(
        Alert(reference=f"outage:{n}", text="t", created=NOW, expires=NOW) for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = Alert.objects.filter(reference="outage:12").order_by("created").explain()
    assert "alert_by_reference" in plan


def test_nothing_undelivered(clock: Clock, django_assert_num_queries: Any) -> None:
    enqueue(DRAFT, NOW, [Fake()])  # waits for its first try: nothing went wrong
    with django_assert_num_queries(1):
        found = undelivered(NOW)
    assert (found.waiting, found.expired, found.oldest_age_s, found.why) == (0, 0, None, "")


def test_undelivered_counts_alerts_and_keeps_the_receivers_words_to_itself(
    clock: Clock, django_assert_num_queries: Any
) -> None:
    mail = Fake(to=["a@x.org", "b@x.org", "c@x.org"], answers={"b@x.org": NO, "c@x.org": NO})
    enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    with django_assert_num_queries(2):
        found = undelivered(NOW + timedelta(minutes=5))
    assert (found.waiting, found.oldest_age_s) == (1, 300)
    assert found.why == "e-mail: the server refused this address"


def test_what_was_put_off_is_undelivered_too(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": DOWN})
    for _ in range(2):
        enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    found = undelivered(NOW)
    assert (found.waiting, found.why) == (2, "e-mail: connection refused")


def test_what_waits_behind_a_refused_one_is_undelivered_too(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": NO})
    for _ in range(3):
        enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    assert undelivered(NOW).waiting == 3


def test_a_fault_that_is_over_is_no_reason_any_more(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"b@x.org": NO})
    enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    mail.answers = dict.fromkeys(mail.to, DOWN)
    for _ in range(4):
        enqueue(DRAFT, clock.move(minutes=1), [mail])
        send_due(channels={"email": mail}, clock=clock)
    assert undelivered(clock()).why == "e-mail: connection refused"
    mail.answers = {"b@x.org": NO}
    for _ in range(7):
        send_due(channels={"email": mail}, clock=clock, now=clock.move(minutes=1))
    found = undelivered(clock())
    assert (found.waiting, found.why) == (5, "e-mail: the server refused this address")
    said = Delivery.objects.filter(state="pending").values_list("last_result", flat=True).order_by("pk")
    assert list(said) == [NO.reason, "", "", "", ""]


def test_given_up_is_told_for_a_day(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": NO})
    enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    send_due(channels={"email": mail}, clock=clock, now=clock.move(hours=24))
    figures = [undelivered(NOW + timedelta(hours=hours)).expired for hours in (24, 47, 49)]
    assert figures == [1, 1, 0]


def test_backlog(clock: Clock, django_assert_num_queries: Any) -> None:
    enqueue(DRAFT, NOW, [Fake(to=["a@x.org", "b@x.org"])])
    with django_assert_num_queries(1):
        found = backlog(NOW + timedelta(minutes=2))
    assert (found.pending, found.oldest_age_s, found.overdue_s) == (2, 120, 120)


@pytest.mark.parametrize(
    ("to_email", "twitter", "expected"),
    [
        pytest.param([], False, [], id="nobody"),
        pytest.param(["a@x.org"], False, [ConfiguredChannel("e-mail", ("a@x.org",))], id="mail"),
        pytest.param([], True, [ConfiguredChannel("Twitter/X", ("",))], id="twitter"),
    ],
)
def test_configured(
    settings: Any, to_email: list[str], twitter: bool, expected: list[ConfiguredChannel]
) -> None:
    settings.TO_EMAIL, settings.TWITTER = to_email, twitter
    assert configured() == expected
