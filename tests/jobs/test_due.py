from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.due import Tick, missed, next_due, tick
from jobs.periodic import PeriodicJob

BERLIN = ZoneInfo("Europe/Berlin")
MINUTELY = PeriodicJob("minutely", "Each minute", ("* * * * *",), ("a",))
NIGHTLY = PeriodicJob("nightly", "Each night", ("30 2 * * *",), ("b",))
TABLE = (MINUTELY, NIGHTLY)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("previous", "now", "due"),
    [
        pytest.param("2025-06-02 10:00:00", "2025-06-02 10:00:59", "", id="nothing-between"),
        pytest.param("2025-06-02 10:00:59", "2025-06-02 10:01:00", "minutely", id="exactly-on-time"),
        pytest.param("2025-06-02 10:01:00", "2025-06-02 10:01:00", "", id="same-instant-again"),
        pytest.param("2025-06-02 02:29:30", "2025-06-02 02:30:00", "minutely nightly", id="both"),
        pytest.param(
            "2025-06-02 10:00:00", "2025-06-03 10:00:30", "minutely nightly", id="suspended-for-a-day"
        ),
        pytest.param(
            "2025-06-02 10:00:00", "2026-06-02 10:00:30", "minutely nightly", id="clock-a-year-forward"
        ),
        pytest.param("2025-06-02 10:00:00", "2025-06-02 09:00:00", "", id="clock-an-hour-back"),
    ],
)
def test_each_job_is_due_once_however_many_times_it_missed(previous: str, now: str, due: str) -> None:
    assert [job.name for job in tick(at(previous), at(now), TABLE, BERLIN).due] == due.split()


def test_a_clock_set_back_goes_on_from_the_new_time() -> None:
    back = tick(at("2025-06-02 10:00:30"), at("2025-06-02 09:00:30"), TABLE, BERLIN)
    assert back == Tick(at("2025-06-02 09:00:30"), ())
    assert tick(back.until, at("2025-06-02 09:01:00"), TABLE, BERLIN).due == (MINUTELY,)


def test_a_clock_set_back_by_a_second_repeats_nothing() -> None:
    ran = tick(at("2025-06-02 10:00:59"), at("2025-06-02 10:01:00.2"), TABLE, BERLIN)
    back = tick(ran.until, at("2025-06-02 10:00:59.5"), TABLE, BERLIN)
    assert back == Tick(ran.until, ())
    assert tick(back.until, at("2025-06-02 10:01:00.1"), TABLE, BERLIN).due == ()


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26"], ids=["spring", "autumn"])
def test_ticks_through_a_night_when_the_clocks_change_start_the_nightly_job_once(day: str) -> None:
    now = at(day).astimezone(UTC)
    started = []
    for _ in range(6 * 60):
        later = tick(now, now + timedelta(minutes=1), TABLE, BERLIN)
        started += [job.name for job in later.due]
        now = later.until
    assert started.count("nightly") == 1
    assert started.count("minutely") == 6 * 60


def test_the_next_due_is_that_of_the_first_job() -> None:
    assert next_due(at("2025-06-02 02:29:10"), (NIGHTLY,), BERLIN) == at("2025-06-02 02:30")
    assert next_due(at("2025-06-02 01:00:10"), TABLE, BERLIN) == at("2025-06-02 01:01")
    assert next_due(at("2025-06-02 01:00:10"), (), BERLIN) is None


@pytest.mark.parametrize(
    ("last_start", "now", "expected"),
    [
        pytest.param("2025-06-02 02:30:01", "2025-06-02 23:00", None, id="ran-on-time"),
        pytest.param("2025-06-01 02:30:01", "2025-06-02 02:31:59", None, id="within-the-grace"),
        pytest.param("2025-06-01 02:30:01", "2025-06-02 02:32", "2025-06-02 02:30", id="grace-is-over"),
        pytest.param("2025-06-01 02:30:01", "2025-06-02 02:29", None, id="not-due-yet"),
        pytest.param("2025-06-02 02:31:50", "2025-06-02 23:00", None, id="started-late-but-started"),
        pytest.param("2025-05-01 12:00", "2025-06-02 12:00", "2025-06-02 02:30", id="missed-many"),
    ],
)
def test_a_job_is_late_two_minutes_after_the_time_it_missed(
    last_start: str, now: str, expected: str | None
) -> None:
    assert missed(NIGHTLY, BERLIN, at(last_start), at(now)) == (expected and at(expected))
