"""The pages that are read: by staff, members and strangers, with hostile names, with much and nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert, Attempt, Delivery
from tests.monitor.factories import (
    make_down,
    make_group,
    make_outage,
    make_site,
    make_up,
    make_view,
    make_views,
)

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def text(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


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


@pytest.fixture
def pages(outage) -> list[str]:
    """Every page that is open to readers."""
    site = make_up(slug="blog")
    return ["/", site.get_absolute_url(), "/outages/", "/outage/", outage.get_absolute_url()]


def test_people_with_a_login_read_every_page(pages, staff_client, member_client) -> None:
    for url in pages:
        text(staff_client, url)
        text(member_client, url)


def test_strangers_are_sent_to_the_login(pages, stranger_client) -> None:
    for url in pages:
        response = stranger_client.get(url)
        assert response.status_code == 302
        assert response["Location"] == f"/login/?next={url}"


def test_public_status_lets_strangers_read_but_not_edit(pages, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    for url in pages:
        page = text(stranger_client, url)
        assert "/manage/" not in page
        assert "wiki" not in page


def test_pages_cannot_be_posted_to(pages, staff_client) -> None:
    assert {staff_client.post(url).status_code for url in pages} == {405}


@pytest.mark.parametrize("url", ["/site/none/", "/outage/1/", "/outage/99999999999999999999/", "/site/%00/"])
def test_what_is_not_there_is_404(staff_client, url: str) -> None:
    text(staff_client, url, status=404)


# --- Home ----------------------------------------------------------------------------------------
def test_an_empty_home_says_what_to_do(staff_client, member_client) -> None:
    assert reverse("group_add") in text(staff_client, "/")
    assert "manage.py import_sites" in text(staff_client, "/")
    page = text(member_client, "/")
    assert "ask them" in page
    assert reverse("group_add") not in page


def test_home_says_who_is_down_and_since_when(member_client) -> None:
    now = timezone.now()
    make_down(now, name="shop", state_since=now - timedelta(hours=2, minutes=5, seconds=1))
    make_up(now)
    page = text(member_client, "/")
    assert "1 of 2 sites is down: shop (for 2 hours, 5 minutes)." in page
    assert "connection refused" in page


def test_home_greys_what_nobody_has_asked_lately(member_client) -> None:
    make_up(last_checked=timezone.now() - timedelta(minutes=16))
    page = text(member_client, "/")
    assert '<span class="state state-unknown">old</span>' in page
    assert "state-up" not in page


def test_home_marks_internal_groups_and_hides_them_from_strangers(
    member_client, stranger_client, settings
) -> None:
    settings.PUBLIC_STATUS = True
    make_up(group=make_group(name="Secret", internal=True), name="wiki")
    assert ">internal</span>" in text(member_client, "/")
    assert "Secret" not in text(stranger_client, "/")


@pytest.mark.parametrize("sites", [1, 30])
def test_home_asks_as_often_whatever_it_shows(member_client, django_assert_num_queries, sites) -> None:
    for _ in range(sites):
        make_up()
    with django_assert_num_queries(count_of_shell(member_client) + 2):
        text(member_client, "/")


# --- A site --------------------------------------------------------------------------------------
def test_a_site_shows_strikes_figures_results_and_settings(member_client) -> None:
    site = make_site(state="failing", failures=2, good_codes="200, 404", interval_min=5, last_verdict=2)
    make_view(site, verdict=2, code=503, reason="HTTP 503 Service Unavailable", tls_ms=4.5)
    page = text(member_client, site.get_absolute_url())
    assert "2 failed requests in a row; 3 make an outage." in page
    assert "HTTP 503 Service Unavailable" in page
    assert "4.5 ms" in page
    assert "every 5 minutes" in page
    assert "200, 404" in page


def test_results_are_paged(member_client) -> None:
    site = make_up()
    make_views(site, 45)
    assert text(member_client, site.get_absolute_url()).count("<td>HEAD</td>") == 20
    assert text(member_client, f"{site.get_absolute_url()}?page=3").count("<td>HEAD</td>") == 5
    assert text(member_client, f"{site.get_absolute_url()}?page=nonsense").count("<td>HEAD</td>") == 20


def test_only_staff_find_the_ways_to_change_a_site(staff_client, member_client) -> None:
    url = make_up(slug="shop").get_absolute_url()
    assert reverse("site_delete", args=["shop"]) in text(staff_client, url)
    assert "/manage/" not in text(member_client, url)


def test_a_paused_site_says_so_and_can_be_resumed(staff_client) -> None:
    page = text(staff_client, make_up(enabled=False).get_absolute_url())
    assert "it is not asked" in page
    assert 'value="resume"' in page


@pytest.mark.parametrize("rows", [1, 25])
def test_a_site_asks_as_often_whatever_its_history(member_client, django_assert_num_queries, rows) -> None:
    site = make_up()
    make_views(site, rows)
    for day in range(rows):
        make_outage(site, resolved_at=timezone.now() - timedelta(days=day))
    # The site, its figures, the number of results, one page of them, its falls.
    with django_assert_num_queries(count_of_shell(member_client) + 5):
        text(member_client, site.get_absolute_url())


# --- Outages -------------------------------------------------------------------------------------
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


# --- All -----------------------------------------------------------------------------------------
def test_hostile_names_are_text_on_every_page(staff_client) -> None:
    site = make_down(name=HOSTILE, group=make_group(name=HOSTILE), last_reason=HOSTILE, url="http://x/?<b>")
    make_view(site, reason=HOSTILE)
    make_outage(site)
    for url in ("/", site.get_absolute_url(), "/outages/", "/outage/"):
        page = text(staff_client, url)
        assert ESCAPED in page
        assert "<script>alert" not in page
        assert "?<b>" not in page


def count_of_shell(client: Client) -> int:
    """The queries of the frame: who is asking, banners."""
    with CaptureQueriesContext(connection) as captured:
        client.get("/api/docs")
    return len(captured)
