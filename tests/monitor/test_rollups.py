"""Roll-ups: what is summed, when again, and that a sum is never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.errors import LeaseLost
from jobs.models import Checkpoint, JobRun
from jobs.runner import run_job
from monitor import rollups
from monitor.models import Site, SiteDay, SiteHour, SiteView
from monitor.rollups import roll_up, rolled_until, views_by_hour
from monitor.verdicts import Verdict
from tests.monitor.factories import make_site, make_up, make_view

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)  # a Monday, and office hours: 60 runs an hour
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
pytestmark = pytest.mark.django_db


class Context:
    """What a run is given; it loses its lease after ``holds`` transactions."""

    def __init__(self, holds: int = 1_000_000) -> None:
        self.holds = holds
        self.progressed: list[tuple[int, int]] = []

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.progressed.append((done, total))

    def hold(self) -> None:
        self.holds -= 1
        if self.holds < 0:
            raise LeaseLost("taken over")


def views(site: Site, start: datetime, number: int, **fields) -> None:
    for place in range(number):
        make_view(site, start + place * MINUTE, **fields)


def hours(site: Site) -> list[tuple[int, int, float]]:
    """(hour, runs, expected) in the order of time; hours count from noon."""
    rows = site.hours.order_by("hour").values_list("hour", "runs", "expected")
    return [((hour - NOON) // HOUR, runs, expected) for hour, runs, expected in rows]


def test_an_hour_sums_its_views_and_the_milliseconds_of_good_answers() -> None:
    site = make_up()
    for total_ms in (10.0, 30.5):
        make_view(site, NOON, total_ms=total_ms)
    make_view(site, NOON + 59 * MINUTE, verdict=Verdict.DOWN, code=None, total_ms=5000, wait_ms=5000)
    make_view(site, NOON + 5 * MINUTE, verdict=Verdict.INCONCLUSIVE, code=None, total_ms=0)
    make_view(site, NOON + HOUR, verdict=Verdict.DOWN, total_ms=7)
    roll_up(Context(), NOON + HOUR)
    row = SiteHour.objects.get()
    assert (row.hour, row.runs, row.up, row.down, row.inconclusive) == (NOON, 4, 2, 1, 1)
    assert (row.ms_sum, row.ms_min, row.ms_max, row.wait_ms_sum) == (40.5, 10.0, 30.5, None)


def test_an_hour_without_good_answers_has_no_milliseconds() -> None:
    make_view(make_up(), NOON, verdict=Verdict.DOWN, connect_ms=1)
    roll_up(Context(), NOON + HOUR)
    row = SiteHour.objects.get()
    assert (row.ms_sum, row.ms_min, row.ms_max, *phases()) == (0, None, None, None, None, None, None)


def phases() -> tuple[float | None, ...]:
    """Those of the one hour that there is."""
    return SiteHour.objects.values_list("lookup_ms_sum", "connect_ms_sum", "tls_ms_sum", "wait_ms_sum").get()


def test_an_hour_sums_the_phases_that_its_good_answers_had() -> None:
    site = make_up()
    make_view(site, NOON, lookup_ms=0.5, connect_ms=2.0, tls_ms=None, wait_ms=10.0)
    make_view(site, NOON + MINUTE, lookup_ms=None, connect_ms=3.0, tls_ms=None, wait_ms=20.0)
    roll_up(Context(), NOON + HOUR)
    assert phases() == (0.5, 5.0, None, 30.0)


NO_PHASES = {"lookup_ms_sum": None, "connect_ms_sum": None, "tls_ms_sum": None, "wait_ms_sum": None}
AGAIN = {
    "as many views": ({"runs": 2}, {"wait_ms": 9.0}, (2, 18.0)),
    "more views": ({"runs": 1}, {"wait_ms": 9.0}, (2, 18.0)),
    "views that are purged": ({"runs": 3}, {"wait_ms": 9.0}, (3, None)),
    "no phases": ({"runs": 2}, {}, (2, None)),
    "bad answers": ({"runs": 2}, {"wait_ms": 9.0, "verdict": Verdict.DOWN}, (2, None)),
}


@pytest.mark.parametrize(("stored", "seen", "found"), AGAIN.values(), ids=AGAIN)
def test_an_hour_that_was_summed_without_phases_gets_them_from_all_its_views(stored, seen, found) -> None:
    site = make_up(enabled=False)
    views(site, NOON, 2, **seen)
    roll_up(Context(), NOON + HOUR)
    SiteHour.objects.update(**NO_PHASES | stored)
    roll_up(Context(), NOON + 2 * HOUR)
    assert SiteHour.objects.values_list("runs", "wait_ms_sum").get() == found
    assert roll_up(Context(), NOON + 3 * HOUR).endswith(", 0 rows written")


def test_a_view_belongs_to_the_hour_of_its_beginning_in_utc(settings) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    site = make_up()
    for second in (timedelta(microseconds=-1), timedelta(0)):
        make_view(site, NOON + second)
    roll_up(Context(), NOON + HOUR)
    assert [(hour, runs) for hour, runs, _ in hours(site)] == [(-1, 1), (0, 1)]


def test_the_day_is_the_sum_of_its_hours() -> None:
    site = make_up()
    views(site, NOON, 3, total_ms=2.0)
    make_view(site, NOON + 3 * HOUR, verdict=Verdict.DOWN)
    make_view(site, NOON + 13 * HOUR)
    roll_up(Context(), NOON + 14 * HOUR)
    first, second = SiteDay.objects.order_by("day")
    assert (first.runs, first.up, first.down, first.ms_sum, first.ms_max) == (4, 3, 1, 6.0, 2.0)
    assert first.expected == sum(total for hour, _, total in hours(site) if hour < 12)
    assert (str(second.day), second.runs) == ("2026-11-03", 1)


def test_a_second_run_changes_nothing() -> None:
    views(make_up(), NOON, 5, connect_ms=1.0, wait_ms=2.0)
    roll_up(Context(), NOON + 3 * HOUR)
    before = list(SiteHour.objects.values()), list(SiteDay.objects.values())
    assert roll_up(Context(), NOON + 3 * HOUR + MINUTE).endswith(", 0 rows written")
    assert (list(SiteHour.objects.values()), list(SiteDay.objects.values())) == before


def test_late_views_of_the_last_hours_are_summed_again() -> None:
    site = make_up()
    views(site, NOON, 5)
    roll_up(Context(), NOON + 3 * HOUR)
    views(site, NOON + 30 * MINUTE, 2)
    views(site, NOON - HOUR, 1)
    assert "3 rows written" in roll_up(Context(), NOON + 4 * HOUR)
    assert hours(site)[:2] == [(-1, 1, 0), (0, 7, 0)]
    assert SiteDay.objects.get().runs == 8


def test_a_sum_stays_where_its_views_are_purged() -> None:
    site = make_up()
    views(site, NOON, 5, wait_ms=2.0)
    roll_up(Context(), NOON + HOUR)
    SiteView.objects.filter(date__gt=NOON).delete()
    roll_up(Context(), NOON + 2 * HOUR)
    Checkpoint.objects.all().delete()  # not even a lost checkpoint makes us forget
    roll_up(Context(), NOON + 2 * HOUR)
    assert hours(site) == [(0, 5, 0), (1, 0, 60)]
    assert site.hours.get(hour=NOON).wait_ms_sum == 10.0
    assert SiteDay.objects.get().runs == 5


@pytest.mark.parametrize("holds", range(5))
def test_a_run_that_ended_early_is_gone_on_with(holds: int, monkeypatch) -> None:
    monkeypatch.setattr(rollups, "LONGEST_SPAN", 2)
    site = make_up()
    for number in range(7):
        views(site, NOON + number * HOUR, number + 1)
    with pytest.raises(LeaseLost):
        roll_up(Context(holds), NOON + 7 * HOUR)
    assert SiteHour.objects.count() == min(2 * holds, 7)
    assert rolled_until() == (min(NOON + 2 * holds * HOUR, NOON + 7 * HOUR) if holds else None)
    roll_up(Context(), NOON + 7 * HOUR)
    assert [runs for _, runs, _ in hours(site)] == [1, 2, 3, 4, 5, 6, 7]
    assert [total for _, _, total in hours(site)] == [0, 60, 60, 60, 60, 12, 12]


def test_hours_without_a_run_are_expected_of_a_site_that_is_watched() -> None:
    site, paused, never = make_up(), make_up(enabled=False), make_site()
    views(site, NOON, 1)
    views(paused, NOON, 1)
    roll_up(Context(), NOON + 3 * HOUR)
    assert hours(site) == [(0, 1, 0), (1, 0, 60), (2, 0, 60)]
    assert hours(paused) == [(0, 1, 0)]
    assert hours(never) == []


def test_a_pause_is_not_expected_nor_the_hour_in_which_it_ends() -> None:
    site = make_up()
    views(site, NOON, 1)
    roll_up(Context(), NOON + 2 * HOUR)
    Site.objects.update(enabled=False)
    roll_up(Context(), NOON + 4 * HOUR)
    Site.objects.update(enabled=True)
    views(site, NOON + 4 * HOUR + 30 * MINUTE, 30)
    roll_up(Context(), NOON + 6 * HOUR)
    assert hours(site) == [(0, 1, 0), (1, 0, 60), (4, 30, 0), (5, 0, 12)]


def test_what_was_expected_once_stays_where_the_interval_changes() -> None:
    site = make_up()
    views(site, NOON, 1)
    roll_up(Context(), NOON + 2 * HOUR)
    Site.objects.update(interval_min=10)
    views(site, NOON + HOUR, 3)
    roll_up(Context(), NOON + 3 * HOUR)
    assert hours(site) == [(0, 1, 0), (1, 3, 60), (2, 0, 6)]


def test_a_site_that_is_not_asked_for_a_month_is_no_longer_expected() -> None:
    site = make_up(interval_min=60)
    make_view(site, NOON)
    make_view(site, NOON + timedelta(days=20_000))
    roll_up(Context(), NOON + timedelta(days=20_000) + HOUR)
    found = hours(site)
    assert len(found) == 1 + 31 * 24 + 1
    assert found[-1] == (20_000 * 24, 1, 0)


def test_a_clock_that_was_ahead_leaves_no_hours_uncounted() -> None:
    site = make_up()
    views(site, NOON, 5)
    roll_up(Context(), NOON + timedelta(days=40))
    roll_up(Context(), NOON + HOUR)
    assert rolled_until() == NOON + HOUR
    views(site, NOON + HOUR, 4)
    roll_up(Context(), NOON + 2 * HOUR)
    assert hours(site)[:2] == [(0, 5, 0), (1, 4, 60)]
    assert SiteDay.objects.get(day=NOON.date()).runs == 9


def test_nothing_to_sum_is_said() -> None:
    assert roll_up(Context(), NOON) == "no views to sum yet"
    views(make_up(), NOON, 2)
    assert (
        roll_up(Context(), NOON + 5 * MINUTE)
        == "0 new hours summed until 2026-11-02 12:00 UTC, 0 rows written"
    )
    assert SiteHour.objects.count() == 0


def test_progress_ends_at_its_total() -> None:
    views(make_up(), NOON, 2)
    context = Context()
    roll_up(context, NOON + 50 * HOUR)
    assert context.progressed == [(24, 50), (48, 50), (50, 50)]


def test_a_deleted_site_takes_its_sums_along() -> None:
    site = make_up()
    views(site, NOON, 2)
    roll_up(Context(), NOON + HOUR)
    site.delete()
    roll_up(Context(), NOON + 2 * HOUR)
    assert not SiteHour.objects.exists()
    assert not SiteDay.objects.exists()


def test_queries_do_not_grow_with_sites() -> None:
    def queries() -> int:
        SiteHour.objects.all().delete()
        Checkpoint.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            roll_up(Context(), NOON + HOUR)
        return len(captured)

    views(make_up(), NOON, 2)
    with_one = queries()
    for _ in range(20):
        views(make_up(), NOON, 2)
    assert queries() == with_one


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_did_and_a_second_one_that_it_runs(time_machine) -> None:
    time_machine.move_to(NOON + HOUR + 7 * MINUTE)
    views(make_up(), NOON, 2)

    def say() -> str:
        out = StringIO()
        call_command("roll_up", stdout=out)
        return out.getvalue().strip()

    assert say() == "roll_up: 1 new hour summed until 2026-11-02 13:00 UTC, 1 row written"
    busy = run_job("roll_up", lambda _context: say()).message
    assert busy.startswith("roll_up: roll_up is already running: run ")
    assert JobRun.objects.filter(name="roll_up", state=JobRun.State.DONE).count() == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_a_span_is_read_along_the_index_of_site_and_date() -> None:
    plan = views_by_hour(NOON, NOON + HOUR).explain()
    assert "view_by_site_and_date (site_id=? AND date>? AND date<?)" in plan
