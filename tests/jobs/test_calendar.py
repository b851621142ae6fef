from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jobs.calendar import in_hour, latest, next_after, occurrences, parse
from jobs.errors import BadCalendar

PROBE = ("*/1 9-16 * * 1-5", "*/5 0-8 * * 1-5", "*/5 17-23 * * 1-5", "*/5 * * * 0,6")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
DAY = timedelta(days=1)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # 2025-06-02 is a Monday.
        pytest.param("2025-06-02 08:52", "2025-06-02 08:55", id="fives-before-nine"),
        pytest.param("2025-06-02 08:55", "2025-06-02 09:00", id="office-opens"),
        pytest.param("2025-06-02 09:00", "2025-06-02 09:01", id="minutes-in-office-hours"),
        pytest.param("2025-06-02 16:58", "2025-06-02 16:59", id="last-minute-of-the-office"),
        pytest.param("2025-06-02 16:59", "2025-06-02 17:00", id="office-closes"),
        pytest.param("2025-06-02 17:00", "2025-06-02 17:05", id="fives-in-the-evening"),
        pytest.param("2025-06-02 23:55", "2025-06-03 00:00", id="midnight"),
        pytest.param("2025-06-06 23:57", "2025-06-07 00:00", id="friday-to-saturday"),
        pytest.param("2025-06-07 12:00", "2025-06-07 12:05", id="saturday-noon"),
        pytest.param("2025-06-08 23:55", "2025-06-09 00:00", id="sunday-to-monday"),
        pytest.param("2025-06-02 09:00:59.9", "2025-06-02 09:01", id="within-a-minute"),
    ],
)
def test_the_probes_calendar_at_its_borders(before: str, expected: str) -> None:
    assert next_after(PROBE, BERLIN, at(before)) == at(expected)


def test_the_latest_of_the_probes_calendar_is_the_instant_itself_where_it_is_due() -> None:
    assert latest(PROBE, BERLIN, at("2025-06-02 09:01:00")) == at("2025-06-02 09:01")
    assert latest(PROBE, BERLIN, at("2025-06-02 09:00:59.999")) == at("2025-06-02 09:00")
    assert latest(PROBE, BERLIN, at("2025-06-02 17:04")) == at("2025-06-02 17:00")


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        pytest.param(BERLIN, "2025-03-30", "2025-03-30T03:00+02:00", id="berlin-spring-after-the-gap"),
        pytest.param(BERLIN, "2025-10-26", "2025-10-26T02:30+02:00", id="berlin-autumn-first-coming"),
        pytest.param(NEW_YORK, "2025-03-09", "2025-03-09T03:00-04:00", id="new-york-spring-after-the-gap"),
        pytest.param(NEW_YORK, "2025-11-02", "2025-11-02T02:30-05:00", id="new-york-autumn-not-doubled"),
        pytest.param(LORD_HOWE, "2025-10-05", "2025-10-05T02:30+11:00", id="lord-howe-spring-end-of-gap"),
        pytest.param(LORD_HOWE, "2025-04-06", "2025-04-06T02:30+10:30", id="lord-howe-autumn"),
    ],
)
def test_a_time_of_day_comes_once_where_the_clocks_change(zone: ZoneInfo, day: str, expected: str) -> None:
    start = at(day, zone)
    until = start.astimezone(UTC) + timedelta(hours=23)
    assert list(occurrences(["30 2 * * *"], zone, start, until)) == [datetime.fromisoformat(expected)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param(BERLIN, "2025-03-30", 23, id="berlin-spring"),
        pytest.param(BERLIN, "2025-10-26", 25, id="berlin-autumn"),
        pytest.param(NEW_YORK, "2025-03-09", 23, id="new-york-spring"),
        pytest.param(NEW_YORK, "2025-11-02", 25, id="new-york-autumn"),
        pytest.param(LORD_HOWE, "2025-10-05", 23.5, id="lord-howe-spring"),
        pytest.param(LORD_HOWE, "2025-04-06", 24.5, id="lord-howe-autumn"),
    ],
)
def test_every_five_minutes_has_no_gap_and_no_double(zone: ZoneInfo, day: str, hours: float) -> None:
    start = at(day, zone).astimezone(UTC)
    found = list(occurrences(["*/5 * * * *"], zone, start, start + timedelta(hours=hours)))
    assert len(found) == hours * 12
    assert {later - earlier for earlier, later in pairwise([start, *found])} == {timedelta(minutes=5)}


def test_a_starred_hour_keeps_its_first_minutes_where_clocks_change_by_half_an_hour() -> None:
    # 2:00 becomes 1:30 again; cronsim itself begins with 2:30 here.
    found = occurrences(["*/10 2 * * *"], LORD_HOWE, at("2025-04-06", LORD_HOWE), at("2025-04-07", LORD_HOWE))
    assert [time.astimezone(LORD_HOWE).minute for time in found] == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE], ids=str)
@pytest.mark.parametrize(
    "day", ["2025-03-09", "2025-03-30", "2025-04-06", "2025-10-05", "2025-10-26", "2025-11-02"]
)
@pytest.mark.parametrize("expression", ["30 2 * * *", "45 1 * * *", "*/5 1-2 * * *", "0 0 * * *"])
def test_next_and_latest_agree_with_the_list_around_a_change(
    expression: str, day: str, zone: ZoneInfo
) -> None:
    start = at(day, zone).astimezone(UTC)
    listed = list(occurrences([expression], zone, start - 2 * DAY, start + 3 * DAY))
    for minutes in range(0, 24 * 60, 17):
        now = start + timedelta(minutes=minutes, seconds=1)
        assert next_after([expression], zone, now) == min(time for time in listed if time > now)
        assert latest([expression], zone, now) == max(time for time in listed if time <= now)


def test_occurrences_of_several_expressions_are_merged_and_each_comes_once() -> None:
    found = occurrences(
        ["0,30 9 * * *", "*/30 9-10 * * *"], BERLIN, at("2025-06-02 09:00"), at("2025-06-02 10:00")
    )
    assert list(found) == [at("2025-06-02 09:30"), at("2025-06-02 10:00")]


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        pytest.param("0 3 29 2 *", "2025-01-01", "2028-02-29 03:00", id="leap-day"),
        pytest.param("*/5 * 29 2 *", "2025-01-01", "2028-02-29 00:00", id="leap-day-starred"),
        pytest.param("0 3 1,15 * 5", "2025-06-02", "2025-06-06 03:00", id="day-or-weekday"),
        pytest.param("0 3 * * 7", "2025-06-02", "2025-06-08 03:00", id="sunday-is-seven-too"),
        pytest.param("0 3 1 jan *", "2025-06-02", "2026-01-01 03:00", id="names"),
    ],
)
def test_rare_expressions(expression: str, now: str, expected: str) -> None:
    assert next_after([expression], BERLIN, at(now)) == at(expected)
    assert latest([expression], BERLIN, at(expected) + timedelta(seconds=30)) == at(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "*/0 * * * *",
        "x * * * *",
        "0 0 31 2 *",
        "@daily",
    ],
)
def test_a_bad_expression_is_refused_by_name(expression: str) -> None:
    with pytest.raises(BadCalendar, match="is no cron expression"):
        parse(expression)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE], ids=str)
@pytest.mark.parametrize(
    "calendar",
    [PROBE, ("30 2 * * *",), ("*/20 2-3 * * *", "5 * * * *"), ("10,50 1-3 * 4,10,11 0",)],
    ids=["probe", "at a time of day", "both kinds", "in some months"],
)
@pytest.mark.parametrize("day", ["2025-04-06", "2025-10-05", "2025-10-26", "2025-11-02", "2025-06-02"])
def test_hours_together_hold_all_occurrences(zone: ZoneInfo, calendar: tuple[str, ...], day: str) -> None:
    start = at(day, zone).astimezone(UTC).replace(minute=0)
    hours = [start + timedelta(hours=number) for number in range(30)]
    found = [time for hour in hours for time in in_hour(calendar, zone, hour)]
    second = timedelta(seconds=1)
    assert found == list(occurrences(calendar, zone, start - second, hours[-1] + timedelta(hours=1) - second))
