"""The purge: what goes, what stays, what it says, and that nobody waits for it."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from djamon.lib.commands import DjamonError
from jobs.errors import LeaseLost
from jobs.models import JobRun
from monitor import retention
from monitor.models import Site, SiteDay, SiteHour, SiteView
from monitor.retention import days_from, purge, rehearse
from monitor.rollups import roll_up
from monitor.uptime import of_site
from monitor.verdicts import Verdict
from tests.e2e.conftest import Instance
from tests.monitor.factories import make_up, make_view, make_views
from tests.monitor.test_rollups import Context

NOW = datetime(2026, 11, 3, 12, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.django_db


def clean(now: datetime = NOW, keep_days: int = 90, context: Context | None = None) -> str:
    return purge(context or Context(), now, keep_days, lambda _seconds: None)


@pytest.fixture
def site() -> Site:
    """One view each day for 100 days, all rolled up; the first is 99 days old."""
    site = make_up(enabled=False)
    for age in range(100):
        make_view(site, NOW - age * DAY)
    roll_up(Context(), NOW)
    return site


def test_old_views_go_and_their_sums_stay(site) -> None:
    assert clean() == "9 results deleted; kept 91 results of the last 90 days"
    assert SiteView.objects.earliest("date").date == NOW - 90 * DAY
    assert (SiteHour.objects.count(), SiteDay.objects.count()) == (99, 99)
    assert clean() == "0 results deleted; kept 91 results of the last 90 days"


def test_uptime_is_the_same_after_as_before(site) -> None:
    before = of_site(site, NOW)
    assert clean(keep_days=1) == "98 results deleted; kept 2 results of the last day"
    assert of_site(site, NOW) == before


@pytest.mark.parametrize(
    ("rolled", "sentence"),
    [
        pytest.param(None, "0 results deleted; kept 91 results of the last 90 days, 9 older", id="never"),
        pytest.param(
            NOW - 95 * DAY, "4 results deleted; kept 91 results of the last 90 days, 5 older", id="late"
        ),
    ],
)
def test_what_is_not_rolled_up_is_kept_and_counted(rolled: datetime | None, sentence: str) -> None:
    site = make_up(enabled=False)
    for age in range(100):
        make_view(site, NOW - age * DAY)
    if rolled:
        roll_up(Context(), rolled)
    assert rehearse(NOW, 90).startswith(sentence.replace("deleted", "would be deleted"))
    assert clean() == f"{sentence} ones not yet rolled up"


def test_an_hour_goes_as_a_whole_or_stays() -> None:
    site = make_up(enabled=False)
    for minutes in (-21, -19, 19, 41):
        make_view(site, NOW - DAY + timedelta(minutes=minutes))
    roll_up(Context(), NOW)
    clean(keep_days=1)
    assert SiteView.objects.earliest("date").date.hour == 12
    assert SiteView.objects.count() == 3


def test_a_view_that_came_days_late_is_summed_before_it_goes(site) -> None:
    make_view(site, NOW - 95 * DAY, verdict=Verdict.DOWN)
    make_view(site, NOW - 95 * DAY - HOUR, verdict=Verdict.DOWN)
    clean()
    assert list(site.hours.filter(down=1).order_by("hour").values_list("runs", flat=True)) == [1, 2]
    assert site.days.get(day=(NOW - 95 * DAY).date()).down == 2


def test_hours_from_before_they_had_phases_get_them_before_their_views_go(site) -> None:
    SiteView.objects.update(wait_ms=5.0)
    clean(keep_days=1)
    assert site.hours.filter(wait_ms_sum=5.0).count() == 98
    clean(keep_days=1)
    assert site.hours.filter(wait_ms_sum=5.0).count() == 98


@pytest.mark.parametrize("holds", [0, 1, 2, 3, 7])
def test_a_purge_that_ended_early_is_gone_on_with(site, holds: int, monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    make_views(site, 5, NOW - 99 * DAY)
    roll_up(Context(), NOW)
    with pytest.raises(LeaseLost):
        clean(context=Context(holds))
    assert 91 < SiteView.objects.count() <= 105
    assert "kept 91 results of the last 90 days" in clean()
    assert site.hours.get(hour=(NOW - 99 * DAY).replace(minute=0)).runs == 6


def test_each_transaction_takes_one_batch_and_a_pause_follows(site, monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    make_views(site, 9, NOW - 99 * DAY)
    pauses: list[float] = []
    purge(Context(), NOW, 90, pauses.append)
    assert pauses == [retention.PAUSE_S] * (4 + 8)


def test_progress_counts_what_is_deleted(site) -> None:
    context = Context()
    clean(context=context)
    assert context.progressed[-1] == (9, 9)


def test_sums_go_after_years(site, settings) -> None:
    settings.HOURS_KEEP_DAYS = 91
    clean()
    clean(NOW + 5 * DAY)
    roll_up(Context(), NOW + 5 * DAY)
    assert clean(NOW + 5 * DAY).startswith("0 results deleted; kept 86")
    assert SiteHour.objects.earliest("hour").hour == (NOW - 86 * DAY).replace(minute=0)
    assert SiteDay.objects.earliest("day").day == (NOW - 86 * DAY).date()


def test_sums_stay_while_their_views_are_there(site, settings) -> None:
    settings.HOURS_KEEP_DAYS = 91
    clean(keep_days=95)
    assert SiteHour.objects.earliest("hour").hour == (NOW - 95 * DAY).replace(minute=0)


def test_without_any_views_it_says_so() -> None:
    assert clean() == "0 results deleted; kept 0 results of the last 90 days"


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "1.5", "1e3", "36501", "9" * 5000, "٣x"])
def test_days_that_cannot_be_meant_are_refused(text: str) -> None:
    with pytest.raises(DjamonError, match="no whole number from 1 to 36500"):
        days_from(text)


def say(*words: str) -> str:
    out = StringIO()
    call_command("purge", *words, stdout=out)
    return out.getvalue().strip()


def test_the_command_keeps_what_the_settings_say(site, settings, time_machine) -> None:
    time_machine.move_to(NOW, tick=False)
    settings.VIEWS_KEEP_DAYS = 98
    assert say("--dry-run") == "purge: 1 result would be deleted; kept 99 results of the last 98 days"
    assert not JobRun.objects.exists()
    assert say() == "purge: 1 result deleted; kept 99 results of the last 98 days"
    assert JobRun.objects.get().state == JobRun.State.DONE


def test_the_command_takes_other_days(site, time_machine) -> None:
    time_machine.move_to(NOW, tick=False)
    assert say("--keep-days", "97") == "purge: 2 results deleted; kept 98 results of the last 97 days"
    assert JobRun.objects.get().arguments == {"keep_days": 97}


def test_the_command_refuses_days_in_one_line() -> None:
    with pytest.raises(CommandError, match=r"^purge: --keep-days: '0' is no whole number from 1 to 36500$"):
        say("--keep-days", "0")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_old_views_are_found_along_the_index() -> None:
    keys = retention.views_before(NOW).values_list("pk", flat=True)[: retention.KEYS]
    assert "view_by_site_and_date (site_id=? AND date<?)" in keys.explain()


class TestBesideAWriter:
    """A real purge in a process of its own, and a writer on the same file."""

    ROWS = 15_000

    @pytest.fixture
    def instance(self, tmp_path: Path) -> Instance:
        instance = Instance(tmp_path, f"sqlite:///{tmp_path / 'djamon.sqlite3'}")
        instance.must("migrate")
        with instance.connect() as database:
            fill(database, self.ROWS)
        instance.must("roll_up")
        return instance

    def test_it_never_waits_a_second_and_a_killed_purge_is_gone_on_with(self, instance) -> None:
        first = instance.start("purge", "--keep-days", "1")
        waits = write_while(instance, first, until=lambda left: left < self.ROWS * 0.7)
        first.kill()
        first.communicate()
        left = instance.value("SELECT COUNT(*) FROM monitor_siteview WHERE verb = 'HEAD'")
        assert 0 < left < self.ROWS
        second = instance.start("purge", "--keep-days", "1")
        waits += write_while(instance, second, until=lambda left: False)
        out, err = second.communicate()
        assert (second.returncode, err) == (0, "")
        assert out.startswith(f"purge: {left:,} results deleted; kept ")
        assert instance.value("SELECT SUM(runs) FROM monitor_sitehour") == self.ROWS
        assert len(waits) > 20
        assert max(waits) < 1


def fill(database: Any, number: int) -> None:
    """``number`` views of ten sites, a minute apart, the newest a week old."""
    database.execute("BEGIN")
    database.execute("INSERT INTO monitor_group VALUES (1, 'Web', 'web', 0)")
    columns = "id, group_id, name, slug, url, enabled, good_codes, get_fallback, state, failures, last_reason"
    columns += ", recent"
    for key in range(10):
        values = (key, 1, f"s{key}", f"s{key}", "http://s.example/", 0, "", 0, "up", 0, "", "")
        database.execute(f"INSERT INTO monitor_site ({columns}) VALUES ({', '.join('?' * 12)})", values)
    newest = datetime.now(UTC) - timedelta(days=7)
    rows = (
        (f"{place:032x}", place % 10, f"{newest - timedelta(minutes=place // 10):%Y-%m-%d %H:%M:%S}", "HEAD")
        for place in range(number)
    )
    database.executemany(INSERT, rows)
    database.execute("COMMIT")


INSERT = (
    "INSERT INTO monitor_siteview (id, site_id, date, verb, verdict, reason, total_ms) "
    "VALUES (?, ?, ?, ?, 1, 'HTTP 200 OK', 12.3)"
)


def write_while(instance: Instance, process: subprocess.Popen[str], until: Any) -> list[float]:
    """As a sweep does, again and again while ``process`` runs; how many seconds each transaction took."""
    waits: list[float] = []
    writer = sqlite3.connect(instance.sqlite_path, timeout=20, isolation_level=None)
    try:
        while process.poll() is None:
            started = time.monotonic()
            writer.execute("BEGIN IMMEDIATE")
            when = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
            rows = [(f"f{time.monotonic_ns():023x}{place:08x}", place, when, "GET") for place in range(10)]
            writer.executemany(INSERT, rows)
            writer.execute("COMMIT")
            waits.append(time.monotonic() - started)
            left = writer.execute("SELECT COUNT(*) FROM monitor_siteview WHERE verb = 'HEAD'").fetchone()[0]
            if until(left):
                return waits
    finally:
        writer.close()
    return waits
