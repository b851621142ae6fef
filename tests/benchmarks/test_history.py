"""What the benchmarks fill a database with: it fits the tables, and the product reads it as its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import history, installation
from benchmarks.history import Plan
from benchmarks.installation import Installation

PLAN = Plan(sites=12, groups=3, views=240, days=3, hour_days=2, outages=6)
NOW = datetime(2026, 11, 18, 10, 30, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation.on_sqlite(tmp_path_factory.mktemp("bench")) as found:
        history.fill_installation(found, PLAN)
        yield found


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("monitor_group", 3),
        ("monitor_site", 12),
        ("monitor_siteview", 240),
        ("monitor_sitehour", 12 * 48),
        ("monitor_siteday", 12 * 4),
        ("monitor_outage", 6),
        ("alerts_alert", 11),
        ("alerts_delivery", 11),
        ("alerts_attempt", 11),
    ],
)
def test_each_table_has_what_was_planned(filled: Installation, table: str, rows: int) -> None:
    assert filled.rows(f"SELECT COUNT(*) FROM {table}") == [(rows,)]


def test_the_rows_fit_together(filled: Installation) -> None:
    assert filled.rows("PRAGMA foreign_key_check") == []


def test_one_outage_is_open_with_the_sites_that_are_down(filled: Installation) -> None:
    open_falls = filled.rows("SELECT site_id FROM monitor_outagesites WHERE back_at IS NULL ORDER BY 1")
    assert open_falls == filled.rows("SELECT id FROM monitor_site WHERE state = 'down' ORDER BY 1")
    assert filled.rows("SELECT id FROM monitor_outage WHERE resolved_at IS NULL") == [(PLAN.outages,)]


def test_the_product_goes_on_from_there(filled: Installation) -> None:
    said = filled.manage("roll_up").said
    assert "0 new hours summed" in said or "1 new hour summed" in said


def test_runs_follow_the_calendar_and_end_before_now() -> None:
    runs = history.runs_before(NOW, 100)
    assert len(runs) == 100
    assert runs[-1] < NOW
    assert runs[-1] - runs[-2] == timedelta(minutes=1)  # in office hours each minute
    assert runs[1] - runs[0] == timedelta(minutes=5)  # before them every five


def test_a_copy_leaves_the_filled_file_alone(filled: Installation, tmp_path: Path) -> None:
    with installation.on_sqlite(tmp_path, copy_of=filled.sqlite_path) as copy:
        copy.execute("DELETE FROM monitor_siteview")
    assert filled.rows("SELECT COUNT(*) FROM monitor_siteview") == [(PLAN.views,)]
    assert not list(tmp_path.iterdir())
