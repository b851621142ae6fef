"""A site's response times over a range: requests, buckets, hours that are rolled up, falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from djamon.lib.buckets import Buckets, TimeRange, named_range
from monitor.models import OutageSites, SiteHour, SiteView
from monitor.rollups import roll_up
from monitor.series import SERIES_POINTS, Point, Series, _bucketed, _views, merged, series_of
from monitor.verdicts import Verdict
from tests.monitor.factories import make_outage, make_site, make_up, make_view, make_views
from tests.monitor.test_rollups import NO_PHASES, Context

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DOWN = {"verdict": Verdict.DOWN, "code": None, "reason": "connection refused", "total_ms": 5000.0}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site():
    return make_site(slug="shop")


def shown(site, name="1h") -> Series:
    return series_of(site, named_range(name, NOW), UTC)


def make_hour(site, hour: datetime, **fields) -> None:
    defaults = {"runs": 60, "up": 60, "down": 0, "inconclusive": 0, "expected": 60}
    SiteHour.objects.create(
        site=site, hour=hour, **defaults | {"ms_sum": 600.0, "ms_min": 1.0, "ms_max": 90.0} | fields
    )


def test_a_site_that_was_never_asked(site) -> None:
    for name in ("1h", "90d"):
        found = shown(site, name)
        assert (found.points, found.falls, found.phases) == ([], [], ())


def test_few_requests_are_a_point_each(site) -> None:
    make_view(site, NOW - MINUTE, total_ms=30.0, lookup_ms=1.0, connect_ms=9.0, wait_ms=20.0)
    make_view(site, NOW - 2 * MINUTE, **DOWN)
    make_view(site, NOW - 3 * MINUTE, verdict=Verdict.INCONCLUSIVE, reason="no route from here")
    found = shown(site)
    assert found.buckets is None
    assert found.phases == ("lookup_ms", "connect_ms", "wait_ms")
    assert found.points == [
        Point(NOW - 3 * MINUTE, 1, 0, 0),
        Point(NOW - 2 * MINUTE, 1, 0, 1, reason="connection refused"),
        Point(NOW - MINUTE, 1, 1, 0, 30.0, 30.0, 1.0, 9.0, None, 20.0),
    ]


def test_what_is_outside_the_range_or_another_sites_is_left_out(site) -> None:
    for moment in (NOW, NOW - timedelta(hours=1, microseconds=1)):
        make_view(site, moment)
    make_view(make_site(), NOW - MINUTE)
    assert shown(site).points == []


def test_many_requests_are_buckets(site) -> None:
    make_views(site, 1441, NOW)
    found = shown(site, "24h")
    assert found.buckets is not None
    assert found.buckets.size_s == 300
    assert len(found.points) == 288
    assert sum(point.requests for point in found.points) == 1440


def test_a_bucket_counts_the_good_answers_milliseconds_alone(site) -> None:
    views = [make_view(site, NOW - MINUTE, total_ms=ms, wait_ms=ms / 2) for ms in (10.0, 40.0)]
    make_view(site, NOW - MINUTE, **DOWN)
    make_view(site, NOW - MINUTE, verdict=Verdict.INCONCLUSIVE)
    range_ = named_range("1h", NOW)
    (point,) = _bucketed(_views(site, range_.start, NOW), range_, Buckets(300))
    start = NOW - timedelta(minutes=5)
    assert point == Point(start, 4, len(views), 1, 25, 40, None, None, None, 12.5, "connection refused")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_the_database_cuts_buckets_as_python_does(site, zone) -> None:
    make_views(site, SERIES_POINTS + 50, NOW - MINUTE)
    range_ = TimeRange(NOW - timedelta(hours=40), NOW)
    found = series_of(site, range_, ZoneInfo(zone))
    buckets = found.buckets
    assert buckets is not None
    dates = SiteView.objects.filter(site=site).values_list("date", flat=True)
    assert [point.at for point in found.points] == sorted({buckets.start_of(date) for date in dates})


# --- Hours ---------------------------------------------------------------------------------------
def test_beyond_a_week_hours_count_and_the_views_after_them(site) -> None:
    make_hour(site, NOW - timedelta(hours=50), up=50, down=10, ms_sum=500.0)
    make_hour(site, NOW - timedelta(hours=2))
    make_view(site, NOW - timedelta(minutes=90))  # in the hour that is rolled up
    make_view(site, NOW - MINUTE, total_ms=70.0, wait_ms=60.0)
    points = shown(site, "30d").points
    assert [(p.requests, p.failures, p.average_ms, p.slowest_ms) for p in points] == [
        (60, 10, 10, 90),
        (61, 0, pytest.approx((600 + 70) / 61), 90),
    ]


HALVES = {"connect_ms_sum": 300.0, "wait_ms_sum": 300.0}
SPLIT = (None, 5.0, None, 5.0)
# Hours of a bucket of six, each with 60 good answers of 10 ms; (of them, their phases).
MIXED = {
    "all are known": ([HALVES, HALVES], (120, SPLIT)),
    "none are known": ([{}, {}], (120, (None,) * 4)),
    "one is from before": ([HALVES, {}], (120, (None,) * 4)),
    "another had no good answer": ([HALVES, {"up": 0, "down": 60, "ms_sum": 0.0}], (60, SPLIT)),
    "another had no request": ([HALVES, {"runs": 0, "up": 0, "ms_sum": 0.0}], (60, SPLIT)),
    "another had one phase alone": ([HALVES, {"wait_ms_sum": 600.0}], (120, (None, 2.5, None, 7.5))),
    "it took no time": ([{"wait_ms_sum": 0.0}], (60, (None, None, None, 0.0))),
}


@pytest.mark.parametrize(("hours", "found"), MIXED.values(), ids=MIXED)
def test_a_bucket_has_phases_where_those_of_all_its_good_answers_are_known(site, hours, found) -> None:
    for number, fields in enumerate(hours):
        make_hour(site, NOW - timedelta(days=30, hours=number + 1), **fields)
    (point,) = shown(site, "90d").points
    assert (point.up, (point.lookup_ms, point.connect_ms, point.tls_ms, point.wait_ms)) == found
    assert point.average_ms == 10.0
    assert point.unsplit_ms == (None if point.phased else 10.0)


def test_the_bucket_of_the_last_hours_joins_phases_of_sums_and_views(site) -> None:
    make_hour(site, NOW - timedelta(hours=2), up=3, runs=3, ms_sum=30.0, wait_ms_sum=30.0)
    make_view(site, NOW - MINUTE, total_ms=50.0, tls_ms=20.0, wait_ms=30.0)
    (point,) = shown(site, "90d").points
    assert (point.average_ms, point.tls_ms, point.wait_ms) == (20.0, 5.0, 15.0)
    SiteHour.objects.update(wait_ms_sum=None)
    (point,) = shown(site, "90d").points
    assert (point.average_ms, point.phased) == (20.0, False)


# Some in the same buckets, some in hours that are not summed yet.
AGES = st.builds(
    lambda day, minutes: day * 24 * 60 + minutes, st.sampled_from((0, 1, 40, 89)), st.integers(1, 900)
)
SOME_MS = st.floats(0, 5000)
REACHED = st.tuples(st.none() | SOME_MS, SOME_MS, st.none() | SOME_MS, SOME_MS)
VIEWS = st.lists(st.tuples(AGES, st.sampled_from(list(Verdict)), REACHED), max_size=25)


@settings(max_examples=60)
@given(views=VIEWS, lag_h=st.integers(0, 60), lost=st.sets(st.integers(0, 24)), purged=st.booleans())
def test_sums_and_newest_views_give_what_adding_up_every_view_does(views, lag_h, lost, purged) -> None:
    with transaction.atomic():
        site = make_up(enabled=False)
        made = [view_of(site, *view) for view in views]
        SiteView.objects.bulk_create(made)
        roll_up(Context(), NOW - timedelta(hours=lag_h))
        unknown = {hour_of(view.date) for number, view in enumerate(made) if number in lost}
        SiteHour.objects.filter(hour__in=unknown).update(**NO_PHASES)
        if purged:
            SiteView.objects.filter(date__lt=NOW - timedelta(hours=lag_h)).delete()
        unknown = {hour for hour in unknown if hour < NOW - timedelta(hours=lag_h)}
        found = shown(site, "90d")
        assert [astuple(point)[:-1] for point in found.points] == added_up(found, made, unknown)
        transaction.set_rollback(True)


def view_of(site, age: int, verdict: Verdict, phases: tuple[float | None, ...]) -> SiteView:
    lookup, connect, tls, wait = phases
    return SiteView(
        site=site,
        date=NOW - age * MINUTE,
        verdict=verdict,
        reason="",
        verb="HEAD",
        total_ms=sum(ms or 0.0 for ms in phases),
        lookup_ms=lookup,
        connect_ms=connect,
        tls_ms=tls,
        wait_ms=wait,
    )


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0)


def added_up(found: Series, views: list[SiteView], unknown: set[datetime]) -> list[tuple[Any, ...]]:
    """The fields of each point but for the reason, without phases where one of ``unknown`` hours is in it."""
    buckets = found.buckets
    assert buckets is not None
    points = []
    for start in sorted({buckets.start_of(view.date) for view in views}):
        here = [view for view in views if buckets.start_of(view.date) == start]
        good = [view for view in here if view.verdict == Verdict.UP]
        known = not any(hour_of(view.date) in unknown for view in good)
        names = ("lookup_ms", "connect_ms", "tls_ms", "wait_ms")
        phases = [mean([getattr(view, name) for view in good]) if known else None for name in names]
        totals = [view.total_ms for view in good]
        failures = sum(view.verdict == Verdict.DOWN for view in here)
        counts = (max(start, found.shown.start), len(here), len(good), failures)
        points.append((*counts, mean(totals), max(totals, default=None), *phases))
    return points


def mean(values: Sequence[float | None]) -> object:
    """Of all of them, those that are None counting as nothing."""
    known = [value for value in values if value is not None]
    return pytest.approx(sum(known) / len(values)) if known else None


def test_an_hour_without_requests_is_no_point(site) -> None:
    make_hour(site, NOW - timedelta(hours=2), runs=0, up=0, ms_sum=0, ms_min=None, ms_max=None)
    assert shown(site, "30d").points == []


def test_beyond_a_week_without_hours_the_views_count(site) -> None:
    make_view(site, NOW - timedelta(days=20), **DOWN)
    (point,) = shown(site, "90d").points
    assert (point.requests, point.failures, point.reason) == (1, 1, "connection refused")


def test_where_the_views_are_purged_their_hours_are_shown(site) -> None:
    start = NOW - timedelta(days=60)
    make_hour(site, start, ms_sum=1200.0)
    make_hour(site, NOW - timedelta(hours=1))
    found = series_of(site, TimeRange(start + 5 * MINUTE, start + timedelta(hours=3)), UTC)
    assert found.points == [Point(start + 5 * MINUTE, 60, 60, 0, 20, 90)]


# --- Falls ---------------------------------------------------------------------------------------
FALLS = {
    "within": (50, 40, True),
    "still down": (50, None, True),
    "reaches in": (90, 50, True),
    "around": (90, -10, True),
    "over before": (90, 60, False),
    "begins after": (-5, None, False),
}


@pytest.mark.parametrize(("fell", "back", "seen"), FALLS.values(), ids=FALLS)
def test_the_falls_that_reach_into_the_range(site, fell, back, seen) -> None:
    back_at = None if back is None else NOW - back * MINUTE
    outage = make_outage(site, opened_at=NOW - fell * MINUTE, resolved_at=back_at)
    found = [(fall.start, fall.end, fall.outage) for fall in shown(site).falls]
    assert found == ([(NOW - fell * MINUTE, back_at, outage.pk)] if seen else [])


def test_falls_are_bounded_and_in_order(site) -> None:
    outage = make_outage(resolved_at=NOW)
    OutageSites.objects.bulk_create(
        OutageSites(outage=outage, site=site, fell_at=NOW - n * MINUTE / 5, back_at=NOW)
        for n in range(1, 250)
    )
    starts = [fall.start for fall in shown(site).falls]
    assert (len(starts), starts[-1]) == (200, NOW - MINUTE / 5)
    assert starts == sorted(starts)


# --- Merged, and what it costs -------------------------------------------------------------------
def test_merged_means_are_weighed_by_the_good_answers() -> None:
    range_ = named_range("1h", NOW)
    points = [
        Point(NOW - 50 * MINUTE, 4, 3, 1, 10.0, 15.0, lookup_ms=1.0, reason="HTTP 500"),
        Point(NOW - 49 * MINUTE, 1, 1, 0, 50.0, 50.0, lookup_ms=5.0),
        Point(NOW - 48 * MINUTE, 1, 0, 0),
    ]
    (point,) = merged(Series(range_, None, points, []), UTC, 2).points
    assert point == Point(range_.start, 6, 4, 1, 20.0, 50.0, lookup_ms=2.0, reason="HTTP 500")


def test_merged_points_have_phases_where_all_with_good_answers_do() -> None:
    range_ = named_range("1h", NOW)
    points = [
        Point(NOW - 50 * MINUTE, 1, 1, 0, 10.0, 10.0, connect_ms=4.0, wait_ms=6.0),
        Point(NOW - 49 * MINUTE, 1, 1, 0, 20.0, 20.0, wait_ms=20.0),
        Point(NOW - 5 * MINUTE, 1, 1, 0, 10.0, 10.0, connect_ms=4.0, wait_ms=6.0),
        Point(NOW - 4 * MINUTE, 1, 1, 0, 20.0, 20.0),
    ]
    known, unknown = merged(Series(range_, None, points, []), UTC, 3).points
    assert (known.average_ms, known.connect_ms, known.wait_ms) == (15.0, 2.0, 13.0)
    assert (unknown.average_ms, unknown.phased) == (15.0, False)


def test_merged_is_never_more_than_asked(site) -> None:
    make_views(site, 600, NOW)
    found = merged(shown(site, "24h"), UTC, 50)
    assert len(found.points) <= 50
    assert sum(point.requests for point in found.points) == 599


@pytest.mark.parametrize(("views", "queries"), [(10, 3), (600, 3)], ids=["few", "many"])
def test_the_number_of_queries_does_not_grow(site, django_assert_num_queries, views, queries) -> None:
    make_views(site, views, NOW)
    with django_assert_num_queries(queries):  # count, points, falls
        shown(site, "24h")
    make_hour(site, NOW - timedelta(hours=3))
    with django_assert_num_queries(4):  # the last hour, hours, views, falls
        shown(site, "90d")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_points_are_read_along_the_indexes(site, django_assert_num_queries) -> None:
    make_views(site, 600, NOW)
    make_hour(site, NOW - timedelta(hours=3))
    with django_assert_num_queries(7) as captured:
        shown(site, "24h")
        shown(site, "90d")
    plans = [plan(query["sql"]) for query in captured.captured_queries]
    along_views = [
        text for text in plans if "view_by_site_and_date (site_id=? AND date>? AND date<?)" in text
    ]
    assert len(along_views) == 3
    assert any("(site_id=? AND hour>? AND hour<?)" in text for text in plans)
    assert not any("SCAN monitor_" in text for text in plans)


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
        return " ".join(row[3] for row in cursor.fetchall())
