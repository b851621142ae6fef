"""The part of a page that an open one asks for: its pieces, who shares it, and what it never holds."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from monitor import notes
from monitor.models import Group, Site
from tests.monitor.factories import make_down, make_outage, make_view
from tests.monitor.reading import text

pytestmark = pytest.mark.django_db
PIECE = re.compile(r'id="([-\w]+)"[^>]*data-piece')


def part(client: Client, url: str, mark: str = "1") -> str:
    response = client.get(url, headers={"X-Part": mark})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.content.decode()


@pytest.fixture
def shop() -> Site:
    site = make_down(slug="shop", name="shop")
    make_view(site, verdict=2)
    return site


@pytest.mark.parametrize("url", ["/site/shop/", "/outages/", "/outage/", "/outage/{}/"])
def test_every_piece_of_a_page_is_in_its_part(staff_client, shop, url) -> None:
    url = url.format(make_outage(shop).pk)
    page, asked = text(staff_client, url), part(staff_client, url)
    assert "<html" not in asked
    assert set(PIECE.findall(page)) == set(PIECE.findall(asked))
    assert len(set(PIECE.findall(page))) >= 2
    assert set(re.findall('data-page="([^"]+)"', page)) == set(re.findall('data-page="([^"]+)"', asked))


def test_a_part_holds_no_token_of_anybody(staff_client, shop) -> None:
    outage = make_outage(shop)
    for url in ("/site/shop/", "/outages/", outage.get_absolute_url()):
        assert "csrf" in text(staff_client, url)
        assert "csrf" not in part(staff_client, url)


def test_a_part_is_made_once_for_all_who_ask_at_the_same_mark(
    member_client, django_assert_num_queries, shop
) -> None:
    first = part(member_client, "/site/shop/", "mark")
    make_view(shop)
    with django_assert_num_queries(3):  # who is asking, and the site
        assert part(member_client, "/site/shop/", "mark") == first
    assert part(member_client, "/site/shop/", "another") != first
    assert part(member_client, "/site/shop/?range=1h", "mark") != first


def test_nobody_gets_the_part_of_another_kind_of_reader(
    staff_client, member_client, stranger_client, settings, shop
) -> None:
    settings.PUBLIC_STATUS = True
    assert "site-pause" in part(staff_client, "/site/shop/", "mark")
    assert "site-pause" not in part(member_client, "/site/shop/", "mark")
    Group.objects.update(internal=True)
    assert stranger_client.get("/site/shop/", headers={"X-Part": "mark"}).status_code == 404


def test_notes_are_shown_to_each_as_they_may_change_them(staff, staff_client, member_client, shop) -> None:
    outage = make_outage(shop)
    notes.add(outage, staff, "The disk was full.", timezone.now())
    assert "/edit/" in part(staff_client, outage.get_absolute_url(), "mark")
    assert "/edit/" not in part(member_client, outage.get_absolute_url(), "mark")


def test_the_current_outage_is_followed_by_its_number(member_client, shop) -> None:
    assert 'data-page="no_outage all"' in part(member_client, "/outage/")
    outage = make_outage(shop)
    assert f'data-page="outage {outage.pk}"' in part(member_client, "/outage/")  # so the page is loaded again
    assert f'data-live="/outage/{outage.pk}/?line=2"' in text(member_client, "/outage/?line=2")


def test_strangers_ask_for_no_part(stranger_client, shop) -> None:
    assert stranger_client.get("/site/shop/", headers={"X-Part": "1"}).status_code == 302
