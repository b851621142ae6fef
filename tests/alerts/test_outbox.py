"""What is written when something is to be told."""

from typing import Any

import pytest
from django.db import transaction

from alerts.models import Alert, Delivery
from alerts.outbox import AlertDraft, enqueue
from tests.alerts.conftest import DRAFT, NOW

pytestmark = pytest.mark.django_db


def whom() -> list[tuple[str, str]]:
    return list(Delivery.objects.values_list("channel", "address"))


def draft(**changes: Any) -> AlertDraft:
    given = {"reference": "outage:12", "subject": "s", "text": "t", "html": "h", "public": "p"} | changes
    return AlertDraft(**given)


@pytest.mark.parametrize(
    ("to_email", "twitter", "public", "expected"),
    [
        pytest.param([], False, "p", [], id="nobody"),
        pytest.param(
            ["a@x.org", "b@x.org"], False, "p", [("email", "a@x.org"), ("email", "b@x.org")], id="mail"
        ),
        pytest.param(["a@x.org", "A@x.org", "a@x.org"], False, "p", [("email", "a@x.org")], id="duplicates"),
        pytest.param([], True, "p", [("twitter", "")], id="twitter"),
        pytest.param([], True, None, [], id="nothing-public"),
        pytest.param(["a@x.org"], True, None, [("email", "a@x.org")], id="mail-tells-what-is-not-public"),
    ],
)
def test_recipients(
    settings: Any, to_email: list[str], twitter: bool, public: str | None, expected: list[tuple[str, str]]
) -> None:
    settings.TO_EMAIL, settings.TWITTER = to_email, twitter
    alert = enqueue(draft(public=public), NOW)
    assert (whom(), alert.deliveries.count()) == (expected, len(expected))


def test_new_delivery_is_due_at_once_and_its_key_its_own(mail_settings: Any) -> None:
    enqueue(DRAFT, NOW)
    rows = Delivery.objects.all()
    assert {(row.state, row.next_try, row.tries, row.last_result) for row in rows} == {
        ("pending", NOW, 0, "")
    }
    assert len({row.key for row in rows}) == 3


def test_alert_goes_with_the_callers_transaction(mail_settings: Any) -> None:
    with transaction.atomic():
        enqueue(DRAFT, NOW)
        transaction.set_rollback(True)
    assert (Alert.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "field", "stored"),
    [
        pytest.param(
            {"subject": "a\r\nBcc: evil@x.org"}, "subject", "a Bcc: evil@x.org", id="newline-in-subject"
        ),
        pytest.param({"subject": "x" * 300}, "subject", "x" * 254 + "…", id="long-subject"),
        pytest.param({"text": "a\0b"}, "text", "ab", id="nul-that-postgresql-refuses"),
        pytest.param({"public": "a\0b"}, "public", "ab", id="nul-in-public"),
    ],
)
def test_hostile_words_never_stop_the_writer(changes: dict[str, str], field: str, stored: str) -> None:
    alert = enqueue(draft(**changes), NOW)
    alert.refresh_from_db()
    assert getattr(alert, field) == stored
