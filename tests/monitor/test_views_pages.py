"""The pages that are read: by staff, members and strangers, with hostile names, with much and nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from monitor.appearance import clock
from monitor.models import Site
from tests.monitor.factories import (
    make_down,
    make_group,
    make_outage,
    make_site,
    make_up,
    make_view,
    make_views,
)
from tests.monitor.reading import text

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def pages() -> list[str]:
    """Every page that is open to readers, with an open outage of a public and of an internal site."""
    outage = make_outage(make_down(), make_down(name="wiki", group=make_group(internal=True)))
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
    assert f"<bdi>shop</bdi></a> since {clock(now - timedelta(hours=2, minutes=5, seconds=1), now)}." in page
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


@pytest.mark.parametrize("sites", [10, 1000])
def test_home_asks_as_often_whatever_it_shows(member_client, django_assert_num_queries, sites) -> None:
    groups = [make_group() for _ in range(5)]
    Site.objects.bulk_create(
        Site(group=groups[number % 5], name=f"{number}", slug=f"s-{number}", url="http://x.example/")
        for number in range(sites)
    )
    text(member_client, "/")  # adds up the uptime, which the process keeps
    with django_assert_num_queries(15):  # two for who is asking
        text(member_client, "/")


def shown(page: str) -> list[str]:
    """The names of the sites that the page does not hide, in their order."""
    return re.findall(r'<tr id="site-.*?<bdi>(.*?)</bdi>', page, re.DOTALL)


@pytest.fixture
def three_sites() -> None:
    make_up(name="Shop", url="https://shop.example/", group=make_group(name="Front", slug="front"))
    back = make_group(name="Back", slug="back")
    make_down(name="Database", url="https://db.example/health", group=back)
    make_up(name="Straße", url="https://x.example/", group=back, enabled=False)


FILTERS = {
    "nothing": ("", ["Database", "Straße", "Shop"]),
    "a name in other letters": ("?q=DATA", ["Database"]),
    "letters beyond A to Z": ("?q=STRASSE", ["Straße"]),
    "an address": ("?q=health", ["Database"]),
    "a group": ("?q=back", ["Database", "Straße"]),
    "a state": ("?state=down", ["Database"]),
    "a pause": ("?state=paused", ["Straße"]),
    "both": ("?q=back&state=up", []),
    "spaces around": ("?q=+shop+", ["Shop"]),
    "no such state": ("?state=purple", ["Database", "Straße", "Shop"]),
    "nonsense": ("?q=%00%FF<script>", []),
}


@pytest.mark.parametrize(("query", "names"), FILTERS.values(), ids=FILTERS)
def test_home_is_filtered_by_its_query(member_client, three_sites, query, names) -> None:
    page = text(member_client, f"/{query}")
    assert shown(page) == names
    assert page.count('id="site-') == 3  # a script may show the others


def test_a_filter_stays_in_the_form_and_says_what_it_leaves(member_client, three_sites) -> None:
    page = text(member_client, "/?q=back&state=down")
    assert 'name="q" value="back"' in page
    assert '<option value="down" selected>' in page
    assert "1 of 3 sites" in page
    assert '<a href="/">Show all sites</a>' in page
    assert "No site matches" in text(member_client, "/?q=nowhere")


def test_a_group_alone_is_paged(member_client) -> None:
    group, other = make_group(name="Shop", slug="shop"), make_up(name="Other")
    Site.objects.bulk_create(
        Site(group=group, name=f"{number:03}", slug=f"s-{number}", url="http://x.example/")
        for number in range(501)
    )
    first, last = text(member_client, "/?group=shop"), text(member_client, "/?group=shop&page=2")
    assert (len(shown(first)), shown(last)) == (500, ["500"])
    assert other.name not in shown(first)
    assert re.search('<div id="board" data-events="/events/sites">', first)  # no tag: it asks for its part
    assert shown(text(member_client, "/?group=shop&q=042")) == ["042"]


@pytest.mark.parametrize("slug", ["none", "%00", "secret"])
def test_a_group_that_is_not_there_for_a_reader_is_404(stranger_client, settings, slug) -> None:
    settings.PUBLIC_STATUS = True
    make_up(group=make_group(slug="secret", internal=True))
    text(stranger_client, f"/?group={slug}", status=404)


def test_thousands_of_sites_are_shown_by_their_worst_and_found_by_the_filter(member_client) -> None:
    large, small = make_group(name="Large", slug="large"), make_group(name="Small", slug="small")
    Site.objects.bulk_create(
        Site(
            group=small if number >= 2400 else large,
            name=f"site {number:04}",
            slug=f"s-{number}",
            url="http://x.example/",
        )
        for number in range(2401)
    )
    page = text(member_client, "/")
    assert len(shown(page)) == 1001
    assert '<a href="?group=large">and 1,400 more</a>' in page
    assert "data-whole" not in page
    assert shown(text(member_client, "/?q=site 23")) == [f"site 23{number:02}" for number in range(100)]
    assert '<a href="?group=large&amp;state=unknown">and' in text(member_client, "/?state=unknown")


def test_an_open_page_is_told_what_it_shows_and_where_changes_come_from(member_client) -> None:
    make_up()
    page = text(member_client, "/")
    assert re.search(r'<div id="board" data-events="/events/sites" data-tag="[0-9a-f]{24}">', page)
    assert "data-whole" in page


# --- The last results of a site ------------------------------------------------------------------
def test_the_last_results_come_as_a_list(member_client, django_assert_num_queries) -> None:
    site = make_up(slug="shop")
    make_view(site, verdict=2, reason=HOSTILE)
    with django_assert_num_queries(4):  # who is asking, the site, its results
        page = text(member_client, "/site/shop/recent/")
    assert page.startswith('<ol class="bar-list"><li class="text-down">')
    assert ESCAPED in page


def test_strangers_read_the_last_results_of_public_sites_alone(stranger_client, settings) -> None:
    make_up(slug="shop")
    make_up(slug="wiki", group=make_group(internal=True))
    assert stranger_client.get("/site/shop/recent/").status_code == 302
    settings.PUBLIC_STATUS = True
    text(stranger_client, "/site/shop/recent/")
    text(stranger_client, "/site/wiki/recent/", status=404)


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
    page = text(member_client, site.get_absolute_url())
    assert page.count("<td>HEAD</td>") == 20
    oldest = re.search(r'href="([^"]+)">Oldest</a>', page)
    assert oldest is not None
    last = text(member_client, site.get_absolute_url() + oldest[1].partition("#")[0])
    assert last.count("<td>HEAD</td>") == 20
    assert ">Newer</a>" in last
    assert ">Older</a>" not in last
    assert text(member_client, f"{site.get_absolute_url()}?before=nonsense").count("<td>HEAD</td>") == 20


def test_only_staff_find_the_ways_to_change_a_site(staff_client, member_client) -> None:
    url = make_up(slug="shop").get_absolute_url()
    assert reverse("site_delete", args=["shop"]) in text(staff_client, url)
    assert "/manage/" not in text(member_client, url)


def test_a_paused_site_says_so_and_can_be_resumed(staff_client) -> None:
    page = text(staff_client, make_up(enabled=False).get_absolute_url())
    assert "it is not asked" in page
    assert 'value="resume"' in page


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
