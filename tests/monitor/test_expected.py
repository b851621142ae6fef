"""How many runs there should have been: the calendar, thinned to the site's interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.expected import of_hour, per_hour, so_far

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("runs", "interval_min", "expected"),
    [
        pytest.param(60, None, 60, id="in every run"),
        pytest.param(12, None, 12, id="in every run, five minutes apart"),
        pytest.param(60, 1, 60, id="the calendar's own pace"),
        pytest.param(12, 1, 12, id="quicker than the calendar"),
        pytest.param(60, 10, 6, id="slower than the calendar"),
        pytest.param(12, 7, 6, id="between two runs: the next one"),
        pytest.param(12, 5, 12, id="just the calendar's pace"),
        pytest.param(60, 90, 2 / 3, id="less than one an hour"),
        pytest.param(60, 1440, 1 / 24, id="once a day"),
        pytest.param(0, None, 0, id="no runs in this hour"),
        pytest.param(0, 5, 0, id="no runs, with an interval"),
    ],
)
def test_runs_an_hour(runs: int, interval_min: int | None, expected: float) -> None:
    assert per_hour(runs, interval_min) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("hour", "zone", "expected"),
    [
        pytest.param(MONDAY + 9 * HOUR, "UTC", 60, id="office hours"),
        pytest.param(MONDAY + 8 * HOUR, "UTC", 12, id="before the office opens"),
        pytest.param(MONDAY - 12 * HOUR, "UTC", 12, id="sunday noon"),
        pytest.param(MONDAY + 8 * HOUR, "Europe/Berlin", 60, id="nine o'clock in Berlin"),
        pytest.param(MONDAY + 3 * HOUR, "Asia/Kolkata", 36, id="half an hour of the office in India"),
    ],
)
def test_the_calendar_is_read_in_the_settings_zone(
    hour: datetime, zone: str, expected: int, settings
) -> None:
    settings.TIME_ZONE = zone
    assert of_hour(hour, None) == expected


@pytest.mark.parametrize(
    ("start", "now", "interval_min", "expected"),
    [
        pytest.param(10 * HOUR, 10 * HOUR + MINUTE, None, 0, id="the first run is under way"),
        pytest.param(10 * HOUR, 10 * HOUR + 30 * MINUTE, None, 28, id="a part of an hour"),
        pytest.param(10 * HOUR, 10 * HOUR + 32 * MINUTE, 10, 3, id="a part, with an interval"),
        pytest.param(7 * HOUR, 10 * HOUR + 2 * MINUTE, None, 12 + 12 + 60, id="whole hours"),
        pytest.param(7 * HOUR, 9 * HOUR + 32 * MINUTE, None, 12 + 12 + 30, id="whole hours and a part"),
        pytest.param(10 * HOUR, 9 * HOUR, None, 0, id="a clock that was set back"),
    ],
)
def test_what_should_have_been_recorded_so_far(start, now, interval_min, expected) -> None:
    assert so_far(MONDAY + start, MONDAY + now, interval_min) == pytest.approx(expected)


def test_nothing_is_expected_without_a_job_that_probes(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"
    assert of_hour(MONDAY, None) == 0
