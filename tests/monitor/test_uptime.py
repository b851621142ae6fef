"""Uptime and its coverage: the rule, its words, and the roll-ups held against counting every view."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.models import Site, SiteView
from monitor.rollups import roll_up
from monitor.uptime import MOST_NAMED, Figures, Uptime, by_day, by_hour, in_words, of_site, of_sites, spans
from monitor.verdicts import Verdict
from tests.monitor.factories import make_site, make_up, make_view, make_views
from tests.monitor.test_rollups import Context

NOW = datetime(2026, 11, 3, 12, 20, tzinfo=UTC)  # a Tuesday in office hours: a run a minute
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
UP, DOWN, INCONCLUSIVE = Verdict
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("uptime", "words"),
    [
        pytest.param(Uptime(), "not asked", id="nothing was due"),
        pytest.param(Uptime(expected=60), "not observed", id="nothing was seen"),
        pytest.param(Uptime(inconclusive=3), "not observed", id="only faults of our own"),
        pytest.param(Uptime(up=60, expected=60), "100 % of 100 % observed", id="whole"),
        pytest.param(Uptime(up=1), "100 % of 100 % observed", id="more than was expected"),
        pytest.param(Uptime(down=5, expected=5), "0.00 % of 100 % observed", id="none"),
        pytest.param(Uptime(up=999, down=1, expected=1000), "99.90 % of 100 % observed", id="two places"),
        pytest.param(Uptime(up=999_999, down=1), "99.99 % of 100 % observed", id="never up to a hundred"),
        pytest.param(Uptime(up=2, down=1), "66.66 % of 100 % observed", id="cut off"),
        pytest.param(Uptime(up=99, inconclusive=1), "100 % of 99.0 % observed", id="an inconclusive run"),
        pytest.param(Uptime(up=9_995, down=5, expected=10_131.7), "99.95 % of 98.7 % observed", id="as said"),
        pytest.param(Uptime(up=5999, expected=6000), "100 % of 99.9 % observed", id="one run of many missed"),
        pytest.param(Uptime(up=8, expected=8.571), "100 % of 100 % observed", id="a part of a run is none"),
        pytest.param(Uptime(up=9, expected=8.9999999), "100 % of 100 % observed", id="a sum of fractions"),
    ],
)
def test_uptime_in_words(uptime: Uptime, words: str) -> None:
    assert in_words(uptime) == str(uptime) == words


def test_shares_are_numbers_or_none() -> None:
    assert (Uptime().share, Uptime().coverage, Uptime().percent) == (None, None, "–")
    seen = Uptime(up=3, down=1, inconclusive=1, expected=8)
    assert (seen.share, seen.coverage, seen.percent) == (0.75, 0.5, "75.00 %")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 10**6))
def test_words_never_say_more_than_is_true(up: int, down: int, inconclusive: int, expected: float) -> None:
    uptime = Uptime(up, down, inconclusive, expected)
    assert 0 <= (uptime.coverage or 0) <= 1
    assert in_words(uptime).startswith("100 %") == (up > 0 and down == 0)
    assert in_words(uptime).endswith("of 100 % observed") == (0 < uptime.due == uptime.conclusive)


# Near the borders of all spans, where mistakes are made.
BORDERS_H = (0, 1, 2, 7, 12, 24, 36, 30 * 24, 30 * 24 + 12, 90 * 24 + 12, 90 * 24 + 24)
AGES = st.builds(
    lambda border, minutes: max(0, border * 60 + minutes), st.sampled_from(BORDERS_H), st.integers(-90, 90)
)
VIEWS = st.lists(st.tuples(AGES, st.sampled_from(list(Verdict))), max_size=25)


@settings(max_examples=60)
@given(
    histories=st.tuples(VIEWS, VIEWS),
    lag_h=st.one_of(st.none(), st.integers(0, 60)),
    late=VIEWS,
    purged=st.booleans(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    enabled=st.booleans(),
)
def test_sums_and_newest_views_are_what_counting_every_view_gives(  # noqa: PLR0917
    histories, lag_h, late, purged, zone, enabled
) -> None:
    with transaction.atomic(), override_settings(TIME_ZONE=zone):
        sites = [make_up(enabled=enabled and zone == "UTC") for _ in histories]
        counted = [store(site, views) for site, views in zip(sites, histories, strict=True)]
        if lag_h is not None:
            roll_up(Context(), NOW - lag_h * HOUR)
            counted[0] += store(sites[0], [(age, verdict) for age, verdict in late if age < lag_h * 60])
            if purged:
                SiteView.objects.filter(date__lt=NOW - max(lag_h + 1, 48) * HOUR).delete()
        figures = of_sites(sites, NOW)
        for site, views in zip(sites, counted, strict=True):
            assert without_expected(figures[site.pk]) == counted_figures(views)
            assert days_of(site) == counted_days(views, ZoneInfo(zone))
        transaction.set_rollback(True)


Seen = list[tuple[datetime, Verdict]]


def store(site: Site, views: list[tuple[int, Verdict]]) -> Seen:
    """Each view is so many minutes old; some of an hour's at its very beginning."""
    seen = [(NOW - age * MINUTE, verdict) for age, verdict in views]
    SiteView.objects.bulk_create(
        SiteView(site=site, date=at, verdict=verdict, reason="", verb="HEAD", total_ms=1)
        for at, verdict in seen
    )
    return seen


def total(verdicts: list[Verdict]) -> Uptime:
    return Uptime(verdicts.count(UP), verdicts.count(DOWN), verdicts.count(INCONCLUSIVE))


def counted_figures(views: Seen) -> Figures:
    return Figures(*(total([verdict for at, verdict in views if at >= start]) for start in spans(NOW)))


def without_expected(figures: Figures) -> Figures:
    all_three = (figures.day, figures.days_30, figures.days_90)
    assert all(uptime.expected >= 0 for uptime in all_three)
    return Figures(*(Uptime(uptime.up, uptime.down, uptime.inconclusive) for uptime in all_three))


def counted_days(views: Seen, zone: ZoneInfo) -> list[tuple[date, Uptime]]:
    today = NOW.astimezone(zone).date()
    wanted = [today - number * DAY for number in range(39, -1, -1)]
    dates = [(at.astimezone(zone).date(), verdict) for at, verdict in views]
    return [(day, total([verdict for at, verdict in dates if at == day])) for day in wanted]


def days_of(site: Site) -> list[tuple[date, Uptime]]:
    cells = [(cell.day, cell.uptime) for cell in by_day(site, 40, NOW)]
    return [(day, Uptime(uptime.up, uptime.down, uptime.inconclusive)) for day, uptime in cells]


def test_spans_begin_at_a_full_hour_and_at_midnight() -> None:
    assert spans(NOW) == (
        datetime(2026, 11, 2, 12, tzinfo=UTC),
        datetime(2026, 10, 4, tzinfo=UTC),
        datetime(2026, 8, 5, tzinfo=UTC),
    )


def test_time_without_a_run_counts_as_not_observed() -> None:
    site = make_up()
    make_views(site, 120, NOW - 2 * HOUR - 21 * MINUTE)  # 8:00 to 9:59, then nothing until 12:20
    roll_up(Context(), NOW)
    day = of_site(site, NOW).day
    assert (day.up, day.expected) == (120, 60 + 60 + 60 + 18)
    assert in_words(day) == "100 % of 60.6 % observed"


@pytest.mark.parametrize(
    "rolled", [NOW, NOW - HOUR, NOW - 2 * HOUR], ids=["just now", "an hour late", "two hours late"]
)
def test_what_is_expected_does_not_depend_on_when_it_was_rolled_up(rolled: datetime) -> None:
    site = make_up()
    make_views(site, 3, NOW - 5 * HOUR)
    roll_up(Context(), NOW - 4 * HOUR)
    roll_up(Context(), rolled)
    assert of_site(site, NOW).day.expected == 12 + 60 + 60 + 60 + 18
    assert sum(uptime.expected for _, uptime in by_hour(site, NOW - 9 * HOUR, NOW)) == 12 + 60 + 60 + 60 + 18


def test_a_paused_site_is_not_expected() -> None:
    site = make_up()
    make_views(site, 3, NOW - 3 * HOUR)
    roll_up(Context(), NOW - 2 * HOUR)
    Site.objects.update(enabled=False)
    site.refresh_from_db()
    assert of_site(site, NOW).day.expected == 0


def test_a_site_without_any_roll_up_is_counted_from_its_views() -> None:
    site = make_up()
    make_view(site, NOW - 2 * DAY, verdict=DOWN)
    make_views(site, 2, NOW)
    assert of_site(site, NOW) == Figures(Uptime(up=2), Uptime(up=2, down=1), Uptime(up=2, down=1))


def test_a_site_that_never_answered_has_figures_and_days() -> None:
    site = make_site()
    roll_up(Context(), NOW)
    assert of_site(site, NOW) == Figures()
    assert [cell.day.day for cell in by_day(site, 3, NOW)] == [1, 2, 3]


def test_views_of_the_future_are_left_out() -> None:
    site = make_up()
    make_view(site, NOW + 2 * HOUR)
    assert of_site(site, NOW) == Figures()


def test_no_sites_have_no_figures() -> None:
    assert of_sites([], NOW) == {}


def test_days_follow_the_zone_through_the_change_of_clocks(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    site = make_up(enabled=False)
    change = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight in Berlin: the day has 25 hours
    for number in range(-1, 26):
        make_view(site, change + number * HOUR)
    roll_up(Context(), change + 30 * HOUR)
    cells = by_day(site, 3, change + 26 * HOUR)
    assert [(cell.day.day, cell.uptime.up) for cell in cells] == [(24, 1), (25, 25), (26, 1)]


@pytest.mark.parametrize("number", [1, 10], ids=["one site", "ten sites"])
def test_figures_of_any_number_of_sites_take_four_queries(number, django_assert_num_queries) -> None:
    sites = [make_up() for _ in range(number)]
    for site in sites:
        make_views(site, 3, NOW)
    roll_up(Context(), NOW)
    with django_assert_num_queries(4):
        of_sites(sites, NOW)


def test_more_sites_than_a_query_names_are_read_all_the_same() -> None:
    site = make_up()
    make_views(site, 3, NOW)
    roll_up(Context(), NOW)
    others = [Site(pk=10_000 + number) for number in range(MOST_NAMED)]
    assert of_sites([site, *others], NOW)[site.pk].day.up == 3
    assert of_sites(others, NOW)[10_000] == Figures()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
@pytest.mark.parametrize("number", [1, MOST_NAMED + 1], ids=["one site", "all sites"])
def test_figures_are_read_along_the_indexes(number: int) -> None:
    make_view(make_up(), NOW - 2 * HOUR)
    roll_up(Context(), NOW)
    plans: list[str] = []

    def explain(execute, sql, params, many, context):
        if "EXPLAIN" not in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                plans.append(str(cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        of_sites([Site(pk=number) for number in range(number)], NOW)
    _, days, hours, views = plans
    assert "COVERING INDEX site_day_uptime (site_id=? AND day>?" in days
    assert "sqlite_autoindex_monitor_sitehour_1 (site_id=? AND hour>?" in hours
    assert "view_by_site_and_date (site_id=? AND date>?" in views
