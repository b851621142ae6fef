"""A round of sending: who is told, who waits, what is written. Channels are fakes, the rows are real."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest

from alerts.channels.shape import Blame, Message, Refused, Sent
from alerts.models import Alert, Attempt, ChannelTotal, Delivery
from alerts.outbox import enqueue
from alerts.sending import Limits, SendReport, send_due
from tests.alerts.conftest import DRAFT, NOW, Clock, Fake

pytestmark = pytest.mark.django_db
DOWN = Refused("connection refused", blame=Blame.CHANNEL)
NO = Refused("the server refused this address: 550 no")


def send(*channels: Fake, clock: Clock, **other: Any) -> SendReport:
    return send_due(channels={channel.name: channel for channel in channels}, clock=clock, **other)


def states() -> list[str]:
    return list(Delivery.objects.values_list("state", flat=True))


def test_sent_is_marked_with_its_attempt(clock: Clock) -> None:
    mail = Fake()
    enqueue(DRAFT, NOW, [mail])
    report = send(mail, clock=clock)
    delivery, attempt = Delivery.objects.get(), Attempt.objects.get()
    assert (delivery.state, delivery.sent_at, delivery.tries, delivery.claim) == ("sent", NOW, 1, None)
    assert (attempt.ok, attempt.at, attempt.result) == (True, NOW, "sent")
    assert (str(report), mail.messages[0].key) == ("1 alert sent", delivery.key)


def test_a_channel_is_closed_after_its_round(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"])
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    assert mail.closed == 1


def test_sent_is_never_sent_again(clock: Clock) -> None:
    mail = Fake()
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    clock.move(hours=1)
    assert str(send(mail, clock=clock)) == "no alerts to send"
    assert len(mail.messages) == 1


def test_one_refused_address_spoils_no_other(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org", "c@x.org"], answers={"b@x.org": NO})
    enqueue(DRAFT, NOW, [mail])
    report = send(mail, clock=clock)
    assert report.line == f"2 alerts sent, 1 to be tried again (e-mail: {NO.reason})"
    assert states() == ["sent", "pending", "sent"]


def test_refused_is_tried_again_with_the_same_key_until_it_is_taken(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": NO})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    assert str(send(mail, clock=clock)) == "no alerts to send"  # not before its pause is over
    clock.move(seconds=30)
    mail.answers.clear()
    assert send(mail, clock=clock).sent == 1
    assert len({each.key for each in mail.messages}) == 1
    assert list(Attempt.objects.values_list("ok", flat=True)) == [False, True]


def test_retries_go_on_for_a_day_then_it_is_given_up_visibly(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": NO})
    enqueue(DRAFT, NOW, [mail])
    given_up = 0
    while clock.now < NOW + timedelta(hours=25):
        given_up += send(mail, clock=clock).expired
        clock.move(minutes=4)
    delivery = Delivery.objects.get()
    assert (given_up, delivery.state, delivery.last_result) == (1, "expired", NO.reason)
    assert delivery.attempts.count() == len(mail.messages) == delivery.tries
    assert 25 < delivery.tries < 32


def test_what_nobody_took_in_a_day_is_given_up_unsent(clock: Clock) -> None:
    mail = Fake()
    enqueue(DRAFT, NOW, [mail])
    clock.move(hours=24)
    assert str(send(mail, clock=clock)) == "1 given up after 24 hours"
    assert (states(), mail.messages) == (["expired"], [])


def test_retry_after_is_kept(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": Refused("too many", retry_after_s=700)})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    assert Delivery.objects.get().next_try == NOW + timedelta(seconds=700)


def test_a_channel_that_is_down_is_asked_once_and_the_rest_put_off(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org", "c@x.org"], answers={"a@x.org": DOWN})
    enqueue(DRAFT, NOW, [mail])
    report = send(mail, clock=clock)
    assert (len(mail.messages), report.again, Attempt.objects.count()) == (1, 3, 1)
    rows = list(Delivery.objects.values_list("tries", "last_result", "next_try"))
    later = NOW + timedelta(seconds=30)
    put_off = (0, "put off: connection refused", later)
    assert rows == [(1, "connection refused", later), put_off, put_off]


def test_two_lost_connections_in_a_row_put_the_rest_off(clock: Clock) -> None:
    lost = Refused("the connection was dropped", blame=Blame.CONNECTION)
    to = ["a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org"]
    mail = Fake(to=to, answers={"a@x.org": lost, "c@x.org": lost, "d@x.org": lost})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    assert [each.address for each in mail.messages] == to[:4]


def test_one_poisonous_message_does_not_block_its_channel(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"a@x.org": DOWN})
    enqueue(DRAFT, NOW, [mail])
    for _ in range(3):
        send(mail, clock=clock)
        clock.move(seconds=30)
    assert states() == ["pending", "sent"]


def test_a_channel_that_answers_again_takes_up_soon_what_it_failed_with(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": DOWN})
    enqueue(DRAFT, NOW, [mail])
    for _ in range(6):
        send(mail, clock=clock)
        clock.move(minutes=10)  # the next pause is longer
    mail.answers, mail.to = {}, ["b@example.org"]
    enqueue(DRAFT, clock(), [mail])
    assert send(mail, clock=clock).sent == 1
    clock.move(minutes=5)
    assert send(mail, clock=clock).sent == 1
    assert states() == ["sent", "sent"]


def test_what_was_put_off_and_is_due_goes_in_the_round_in_which_the_channel_answers(clock: Clock) -> None:
    def after_a_second() -> Sent:
        clock.move(seconds=1)
        return Sent()

    to = ["a@x.org", "b@x.org", "c@x.org"]
    mail = Fake(to=to, answers={"a@x.org": DOWN})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    mail.answers = dict.fromkeys(to, after_a_second)
    clock.move(minutes=10)
    assert send(mail, clock=clock).sent == 3


def test_a_silent_channel_delays_no_other(clock: Clock) -> None:
    """The slow channel answers only after the other one is done: one thread for both would never end."""
    done = threading.Event()
    slow = Fake("slow", "Slow", answers={"a@example.org": lambda: Sent() if done.wait(10) else NO})

    def answer() -> Sent:
        done.set()
        return Sent()

    quick = Fake("quick", "Quick", answers={"a@example.org": answer})
    enqueue(DRAFT, NOW, [slow, quick])
    assert send(slow, quick, clock=clock).sent == 2


def test_a_channel_that_hangs_is_given_up_and_its_rest_put_off(clock: Clock) -> None:
    release = threading.Event()
    hung = Fake(limit_s=0.1, to=["a@x.org", "b@x.org"])
    hung.answers = {"a@x.org": lambda: Sent() if release.wait(20) else NO}
    enqueue(DRAFT, NOW, [hung])
    report = send(hung, clock=clock)
    release.set()
    assert (report.again, len(hung.messages)) == (2, 1)
    assert Attempt.objects.get().result == "not done within 0.1 s: whether it arrived is not known"


def test_an_unexpected_exception_is_logged_and_stops_nobody_else(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"a@x.org": ZeroDivisionError("secret words")})
    enqueue(DRAFT, NOW, [mail])
    with caplog.at_level(logging.ERROR, "alerts"):
        assert send(mail, clock=clock).sent == 1
    assert "Traceback" in caplog.text
    result = Attempt.objects.get(ok=False).result
    assert result == "unexpected fault of ours: ZeroDivisionError, see the log"


def test_oldest_first(clock: Clock) -> None:
    mail = Fake()
    for reference in ("outage:1", "outage:2", "outage:3"):
        enqueue(DRAFT.__class__(reference, "s", "t", "h", None), clock.move(seconds=1), [mail])
    send(mail, clock=clock)
    assert [each.reference for each in mail.messages] == ["outage:1", "outage:2", "outage:3"]


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        pytest.param(Limits(per_channel=2), 2, id="deliveries"),
        pytest.param(Limits(seconds=0), 0, id="time"),
        pytest.param(Limits(), 3, id="within"),
    ],
)
def test_a_round_is_bounded_and_the_rest_stays_due(clock: Clock, limits: Limits, sent: int) -> None:
    mail = Fake(to=["a@x.org", "b@x.org", "c@x.org"])
    enqueue(DRAFT, NOW, [mail])
    assert send(mail, clock=clock, limits=limits).sent == sent
    assert send(mail, clock=clock).sent == 3 - sent


def test_a_channel_taken_out_is_told_of_and_hinders_nobody(clock: Clock) -> None:
    gone, mail = Fake("gone", "Gone"), Fake()
    enqueue(DRAFT, NOW, [gone, mail])
    assert send(mail, clock=clock).sent == 1
    assert Attempt.objects.get(ok=False).result == "there is no such channel any more"


def test_totals_are_counted_along(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"], answers={"b@x.org": NO})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    clock.move(seconds=30)
    send(mail, clock=clock)
    assert list(ChannelTotal.objects.values_list("channel", "sent", "failed")) == [("email", 1, 2)]


def test_results_are_one_line_without_control_characters(clock: Clock) -> None:
    mail = Fake(answers={"a@example.org": Refused("550 no\r\n such\0 user \x1b[31m" + "x" * 400)})
    enqueue(DRAFT, NOW, [mail])
    send(mail, clock=clock)
    result = Attempt.objects.get().result
    assert result.startswith("550 no such user [31mxx")
    assert len(result) == 300


def test_an_alert_for_nobody_is_kept(clock: Clock) -> None:
    enqueue(DRAFT, NOW, [])
    assert str(send(clock=clock)) == "no alerts to send"
    assert Alert.objects.count() == 1


def test_a_receiver_that_wants_ages_is_asked_again_until_it_takes_it(clock: Clock) -> None:
    wants_ages = Refused("too many posts", retry_after_s=1e20, blame=Blame.CHANNEL)
    mail = Fake(answers={"a@example.org": wants_ages})
    enqueue(DRAFT, NOW, [mail])
    asked = []
    while clock.now < NOW + timedelta(hours=25):
        if send(mail, clock=clock).reasons:
            asked.append((clock.now - NOW).total_seconds() / 3600)
        clock.move(minutes=5)
    assert asked == [0, 6, 12, 18, pytest.approx(23 + 55 / 60)]
    assert states() == ["expired"]


def test_what_is_put_off_past_its_expiry_gets_a_last_call(clock: Clock) -> None:
    mail = Fake(to=["a@x.org", "b@x.org"])
    mail.answers = {"a@x.org": Refused("too many posts", retry_after_s=1e20, blame=Blame.CHANNEL)}
    enqueue(DRAFT, NOW, [mail])
    clock.move(hours=22)
    assert send(mail, clock=clock).again == 2
    last_call = NOW + timedelta(hours=23, minutes=55)
    assert list(Delivery.objects.values_list("next_try", flat=True)) == [last_call, last_call]


class Unrecordable(Fake):
    """Its refusals break the ledger: no reason is text."""

    def send(self, message: Message) -> Refused:
        super().send(message)
        return Refused(None)  # type: ignore[arg-type]


def test_what_cannot_be_recorded_on_one_channel_stops_no_other(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broken, mail = (
        Unrecordable("broken", "Broken", to=["a@x.org", "b@x.org"]),
        Fake(to=["a@x.org", "b@x.org"]),
    )
    enqueue(DRAFT, NOW, [broken, mail])
    report = send(broken, mail, clock=clock)
    assert (report.sent, len(broken.messages)) == (2, 1)
    assert report.reasons == {"Broken": "unexpected fault of ours: TypeError, see the log"}
    assert "Traceback" in caplog.text
