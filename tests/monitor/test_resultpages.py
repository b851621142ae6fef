"""Pages of a site's results: all that are stored can be reached, from both ends, and new ones move none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict

from djamon.lib.buckets import TimeRange
from monitor.models import Site, SiteView
from monitor.resultpages import PER_PAGE, Place, ResultPage, newer_than, older_than, page_of, place_of
from tests.monitor.factories import make_site, make_view, make_views

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site() -> Site:
    return make_site(slug="shop")


def get(site: Site, query: str = "", shown: TimeRange | None = None) -> ResultPage:
    return page_of(site, shown, QueryDict(query.removeprefix("?").partition("#")[0]))


def walk(site: Site, towards: str, query: str = "", shown: TimeRange | None = None) -> list[SiteView]:
    """All results, by following one link from page to page."""
    page = get(site, query, shown)
    found: list[SiteView] = []
    while True:
        found += page.rows if towards == "older" else page.rows[::-1]
        if not (link := getattr(page, towards)):
            return found
        page = get(site, link, shown)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 1, 20, 21, 40, 45, 2100])
def test_every_result_is_reached_from_the_newest_on(site, count) -> None:
    make_views(site, count, NOW)
    found = walk(site, "older")
    assert [view.date for view in found] == [NOW - MINUTE * number for number in range(count)]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [21, 40, 45])
def test_every_result_is_reached_from_the_oldest_on(site, count) -> None:
    make_views(site, count, NOW)
    found = walk(site, "newer", get(site).oldest)
    assert {view.date for view in found} == {NOW - MINUTE * number for number in range(count)}
    assert get(site, get(site).oldest).rows[-1].date == NOW - MINUTE * (count - 1)


@pytest.mark.django_db
def test_results_of_the_same_moment_are_each_reached_once(site) -> None:
    for _ in range(45):
        make_view(site, NOW)
    found = walk(site, "older")
    assert len(found) == len({view.pk for view in found}) == 45


@pytest.mark.django_db
def test_a_range_is_kept_from_page_to_page_and_not_left(site) -> None:
    make_views(site, 100, NOW)
    shown = TimeRange(NOW - 60 * MINUTE, NOW - 10 * MINUTE)
    first = get(site, "range=1h&page=7", shown)
    assert first.older.startswith("?range=1h&before=")
    assert first.older.endswith("#results")
    assert len(walk(site, "older", "", shown)) == 50


@pytest.mark.django_db
def test_new_results_move_no_page_but_the_newest(site) -> None:
    make_views(site, 45, NOW)
    older = get(site).older
    before = get(site, older)
    make_views(site, 5, NOW + 5 * MINUTE)
    after = get(site, older)
    assert [view.pk for view in after.rows] == [view.pk for view in before.rows]


@pytest.mark.django_db
def test_the_way_back_ends_at_a_full_page_of_the_newest(site) -> None:
    make_views(site, 45, NOW)
    second = get(site, get(site).older)
    make_view(site, NOW + MINUTE)
    back = get(site, second.newer)
    assert len(back.rows) == PER_PAGE
    assert get(site, back.newer or "").rows[0].date == NOW + MINUTE


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["before=", "before=x", "after=5", "before=5.-5", "page=3", "before=9.9.9"])
def test_what_is_no_place_shows_the_newest(site, query) -> None:
    make_views(site, 45, NOW)
    assert get(site, query).rows[0].date == NOW


PLACES = [
    ("0.0", Place(datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))),
    ("1793523600000001.ff", Place(datetime(2026, 11, 1, 9, 0, 0, 1, tzinfo=UTC), UUID(int=255))),
    ("1793523600000001", None),
    ("x.0", None),
    (f"{'9' * 30}.0", None),
    ("٣.0", None),
    ("1." + "f" * 33, None),
]


@pytest.mark.parametrize(("word", "place"), PLACES, ids=[word[:20] for word, _ in PLACES])
def test_a_place_in_an_address(word, place) -> None:
    assert place_of(word) == place
    assert place is None or place_of(str(place)) == place


@pytest.mark.django_db
@pytest.mark.parametrize("read", [older_than, newer_than])
def test_pages_are_read_along_the_index_of_site_and_date(site, read) -> None:
    make_views(site, 200, NOW)
    plan = read(site.views.order_by(), Place(NOW - 50 * MINUTE, UUID(int=0)))[:21].explain()
    assert (
        "view_by_site_and_date" in plan or connection.vendor == "postgresql"
    )  # so few rows it reads at once
