"""What pages read: figures, what strangers may see, and that the number of queries does not grow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitor import queries
from monitor.models import Group, Site
from monitor.verdicts import Verdict
from tests.monitor.factories import (
    make_group,
    make_site,
    make_up,
    make_view,
    make_views,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


CHANGES = {
    "a run": {"last_checked": NOW},
    "its results": {"recent": "u12"},
    "a state": {"state": "down"},
    "a name": {"name": "Other"},
    "an address": {"url": "http://other.example/"},
    "a pause": {"enabled": False},
    "a certificate": {"certificate_ends": NOW},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_stamp_of_home_changes_with(change) -> None:
    site = make_up(NOW)
    before = queries.board_stamp()
    assert queries.board_stamp() == before
    Site.objects.filter(pk=site.pk).update(**change)
    assert queries.board_stamp() != before


def test_the_stamp_of_home_changes_with_its_groups() -> None:
    stamps = [queries.board_stamp()]
    group = make_group()
    stamps.append(queries.board_stamp())
    Group.objects.filter(pk=group.pk).update(internal=True)
    stamps.append(queries.board_stamp())
    assert len(set(stamps)) == 3


def test_sites_that_nobody_asked_lately_are_found_by_their_interval() -> None:
    make_up(NOW)
    old = make_up(last_checked=NOW - timedelta(minutes=16))
    make_up(last_checked=NOW - timedelta(minutes=16), interval_min=60)
    make_site()
    assert queries.old_sites(NOW) == {old.pk}


def test_the_last_results_are_said_one_by_one_the_newest_last() -> None:
    site = make_up(NOW)
    make_views(site, 45, NOW - timedelta(minutes=1))
    make_view(site, NOW, verdict=Verdict.DOWN, reason="connection refused", total_ms=5000)
    bars = queries.recent_bars(site)
    assert len(bars) == 40
    assert (bars[-1].style, bars[-1].text) == ("down", "09:00:00 connection refused, 5,000 ms")
    assert (bars[-2].style, bars[-2].text) == ("up", "08:59:00 HTTP 200 OK, 12 ms")


def test_the_day_counts_its_own_answers_only() -> None:
    site = make_up(NOW)
    make_views(site, 3, NOW)
    make_view(site, NOW - timedelta(minutes=5), verdict=Verdict.DOWN, code=None, total_ms=5000)
    make_view(site, NOW - timedelta(minutes=6), verdict=Verdict.INCONCLUSIVE, code=None)
    make_view(site, NOW - timedelta(hours=25), verdict=Verdict.DOWN)
    make_view(make_up(), NOW, verdict=Verdict.DOWN)
    day = queries.day_figures(site, NOW)
    assert (day.answers, day.inconclusive) == (5, 1)
    assert day.average_ms == pytest.approx(12.3)
    assert day.slowest_ms == 12.3


def test_a_day_without_answers_has_no_percentage() -> None:
    assert queries.day_figures(make_site(), NOW).average_ms is None


def test_data_of_a_site_are_its_last_ten_newest_first() -> None:
    site = make_up(NOW)
    make_views(site, 12, NOW)
    views = queries.site_data(site)["views"]
    assert [view["date"] for view in views] == [NOW - timedelta(minutes=minute) for minute in range(10)]


def test_strangers_learn_nothing_of_internal_groups() -> None:
    internal = make_group(internal=True, slug="intra")
    site = make_up(group=internal, slug="wiki")
    assert queries.find_group("intra", insider=False) is None
    assert queries.find_site("wiki", insider=False) is None
    assert queries.find_site("wiki", insider=True) == site


def test_a_slug_with_a_nul_finds_nothing() -> None:
    assert queries.find_site("a\x00", insider=True) is None
    assert queries.find_group("\x00", insider=True) is None


@pytest.mark.parametrize(
    ("views", "words"), [(0, "0 results"), (1, "1 result"), (3, "3 results")], ids=["none", "one", "some"]
)
def test_what_a_deletion_takes_is_said_in_words(views: int, words: str) -> None:
    site = make_site()
    make_views(site, views, NOW)
    assert queries.views_in_words([site.pk]) == words


def test_a_count_ends_at_its_limit() -> None:
    site = make_site()
    make_views(site, 3, NOW)
    assert queries.views_in_words(Site.objects.all(), limit=2) == "more than 2 results"


def plan(query) -> str:
    return str(query.explain())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_hot_queries_read_along_their_indexes() -> None:
    site = make_site()
    views = site.views.order_by("-date")
    day = site.views.filter(date__gt=NOW)
    assert "view_by_site_and_date" in plan(views[:10])
    assert "TEMP B-TREE" not in plan(views[:10])
    assert "view_by_site_and_date (site_id=? AND date>?)" in plan(day)
