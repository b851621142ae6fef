"""The calendar of a site: how good a day was, where it stands, and what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.calendar import DAYS, LEGEND, Cell, draw, level_of, of_site
from monitor.uptime import DayUptime, Uptime
from tests.monitor.factories import make_outage, make_up, make_views

NOW = datetime(2026, 11, 3, 12, 20, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)
SEEN = Uptime(up=1)


@pytest.mark.parametrize(
    ("uptime", "level"),
    [
        pytest.param(Uptime(), "unasked", id="nothing was due"),
        pytest.param(Uptime(expected=60), "unseen", id="nothing was seen"),
        pytest.param(Uptime(inconclusive=3), "unseen", id="only faults of our own"),
        pytest.param(Uptime(up=60, expected=60), "whole", id="whole"),
        pytest.param(Uptime(up=30, expected=60), "whole", id="half of it observed"),
        pytest.param(Uptime(up=29, expected=60), "unseen", id="good, but hardly observed"),
        pytest.param(Uptime(up=28, down=1, expected=60), "bad", id="bad, however little was observed"),
        pytest.param(Uptime(up=999, down=1), "fine", id="three nines"),
        pytest.param(Uptime(up=998, down=2), "short", id="a little less"),
        pytest.param(Uptime(up=99, down=1), "short", id="two nines"),
        pytest.param(Uptime(up=98, down=2), "bad", id="less"),
        pytest.param(Uptime(down=1), "bad", id="nothing good"),
    ],
)
def test_level_of_a_day(uptime: Uptime, level: str) -> None:
    assert level_of(uptime) == level
    assert level in LEGEND


def cells_of(days: int, uptime: Uptime = SEEN, falls=(), zone=UTC) -> dict[date, Cell]:
    today = NOW.astimezone(zone).date()
    wanted = [DayUptime(today - DAY * number, uptime) for number in range(days - 1, -1, -1)]
    rows = draw(wanted, falls, NOW, zone).rows
    return {cell.day: cell for row in rows for cell in row.cells if cell}


def test_weeks_are_columns_and_begin_on_monday() -> None:
    calendar = draw([DayUptime(date(2026, 10, 24) + DAY * n, Uptime()) for n in range(11)], [], NOW, UTC)
    shown = {
        row.name: [cell.day.isoformat()[5:] if cell else None for cell in row.cells] for row in calendar.rows
    }
    assert shown["Monday"] == [None, "10-26", "11-02"]
    assert shown["Saturday"] == ["10-24", "10-31", None]
    assert [(month.name, month.weeks) for month in calendar.months] == [("Oct", 2), ("Nov", 1)]


def test_a_day_says_all_and_leads_to_its_results() -> None:
    fell = datetime(2026, 11, 1, 9, tzinfo=UTC)
    day = cells_of(5, Uptime(up=9_995, down=5, expected=10_131), [(fell, fell + DAY / 24)])[date(2026, 11, 1)]
    assert day.words == "2026-11-01: 99.95 % of 98.7 % observed, 1 outage"
    assert day.query == "from=2026-11-01&to=2026-11-01"


def test_today_is_not_over() -> None:
    assert cells_of(1)[date(2026, 11, 3)].words == "2026-11-03, so far: 100 % of 100 % observed"


def outages_by_day(cells: dict[date, Cell]) -> dict[int, str]:
    return {cell.day.day: cell.words.rpartition(", ")[2] for cell in cells.values() if "outage" in cell.words}


@pytest.mark.parametrize(
    ("falls", "found"),
    [
        pytest.param([((1, 23), (2, 1))], {1: "1 outage", 2: "1 outage"}, id="across midnight"),
        pytest.param([((1, 1), (1, 2)), ((1, 5), (1, 6))], {1: "2 outages"}, id="two on a day"),
        pytest.param([((2, 23), None)], {2: "1 outage", 3: "1 outage"}, id="still down"),
        pytest.param([((0, 0), (1, 0))], {1: "1 outage"}, id="since before the first day"),
    ],
)
def test_outages_of_a_day(falls, found) -> None:
    spans = [
        tuple(at and datetime(2026, 10, 31, at[1], tzinfo=UTC) + DAY * at[0] for at in fall) for fall in falls
    ]
    assert outages_by_day(cells_of(3, falls=spans)) == found


def test_days_are_those_of_the_zone() -> None:
    fell = datetime(2026, 11, 1, 20, tzinfo=UTC)  # early on the 2nd there
    cells = cells_of(4, falls=[(fell, fell)], zone=ZoneInfo("Asia/Tokyo"))
    assert outages_by_day(cells) == {2: "1 outage"}


@pytest.mark.django_db
def test_a_site_has_ninety_days(django_assert_num_queries) -> None:
    site = make_up(NOW)
    make_views(site, 10, NOW)
    make_outage(site, resolved_at=NOW - 2 * DAY)
    make_outage(site, resolved_at=NOW - 200 * DAY)
    with django_assert_num_queries(3):
        calendar = of_site(site, NOW)
    cells = [cell for row in calendar.rows for cell in row.cells if cell]
    assert len(cells) == DAYS
    assert [cell.level for cell in cells].count("whole") == 1
    assert sum("outage" in cell.words for cell in cells) == 1
    assert not calendar.is_empty


@pytest.mark.django_db
def test_a_site_without_a_result_has_an_empty_one() -> None:
    assert of_site(make_up(NOW), NOW).is_empty
