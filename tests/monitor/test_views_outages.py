"""The pages of outages: the list and one of them, as staff, members and strangers see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.models import Alert, Attempt, Delivery
from tests.monitor.factories import make_down, make_group, make_outage, make_up
from tests.monitor.reading import count_of_shell, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def outage():
    """An open outage of one public and one internal site, with an alert that was sent at the second try."""
    sites = make_down(name="shop"), make_down(name="wiki", group=make_group(internal=True))
    outage = make_outage(*sites)
    now = timezone.now()
    alert = Alert.objects.create(
        reference=f"outage:{outage.pk}", subject="Down: shop", text="", html="", created=now, expires=now
    )
    delivery = Delivery.objects.create(
        alert=alert, channel="email", address="ops@example.org", state="sent", next_try=now
    )
    Attempt.objects.create(delivery=delivery, at=now, ok=False, result="mail server is silent")
    Attempt.objects.create(delivery=delivery, at=now, ok=True, result="accepted", elapsed_ms=12.0)
    return outage


def test_no_outages_are_said_in_words(member_client) -> None:
    assert "There has been no outage yet." in text(member_client, "/outages/")
    page = text(member_client, "/outage/")
    assert "There is no outage right now." in page
    assert 'href="/outages/"' in page


def test_outages_stand_newest_first_each_with_its_duration(member_client) -> None:
    now = timezone.now()
    old = make_outage(make_down(name="first"), opened_at=now - timedelta(hours=3), resolved_at=now)
    new = make_outage(make_down(name="second"), opened_at=now - timedelta(minutes=1))
    page = text(member_client, "/outages/")
    assert page.index(new.get_absolute_url()) < page.index(old.get_absolute_url())
    assert "3 hours" in page
    assert "so far" in page


@pytest.mark.parametrize("outages", [1, 30])
def test_outages_ask_as_often_however_many(member_client, django_assert_num_queries, outages) -> None:
    for day in range(outages):
        make_outage(make_up(), make_up(), resolved_at=timezone.now() - timedelta(days=day))
    # The number of outages, one page of them, the same with their first falls, the counts of falls.
    with django_assert_num_queries(count_of_shell(member_client) + 5):
        page = text(member_client, "/outages/")
    assert page.count('<th scope="row"') == min(outages, 25)


def test_an_outage_tells_who_fell_and_every_attempt_to_tell(outage, member_client) -> None:
    page = text(member_client, "/outage/")
    for words in ("shop", "wiki", "still down", "Down: shop", "ops@example.org", "mail server is silent"):
        assert words in page
    assert "accepted</span> (12 ms)" in page


def test_an_outage_that_nobody_heard_of_says_so(member_client) -> None:
    outage = make_outage(make_down())
    assert "No alert was written." in text(member_client, outage.get_absolute_url())
    now = timezone.now()
    Alert.objects.create(
        reference=f"outage:{outage.pk}", subject="Down", text="", html="", created=now, expires=now
    )
    assert "Nobody was configured to be told." in text(member_client, outage.get_absolute_url())


def test_strangers_see_neither_addresses_nor_what_is_internal(outage, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    page = text(stranger_client, outage.get_absolute_url())
    assert "shop" in page
    for words in ("ops@example.org", "wiki", "Who was told"):
        assert words not in page


@pytest.mark.parametrize("falls", [1, 120])
def test_an_outage_asks_as_often_however_many_fell(member_client, django_assert_num_queries, falls) -> None:
    group = make_group()
    outage = make_outage(*(make_up(group=group) for _ in range(falls)), resolved_at=timezone.now())
    # The outage, the number of falls, one page of them, the alerts.
    with django_assert_num_queries(count_of_shell(member_client) + 4):
        text(member_client, outage.get_absolute_url())
