"""What pages read of timings, held against plain sums over the same calls."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import astuple

from timings import queries, spans
from timings.calls import Calls
from timings.histogram import GROWTH
from timings.models import DAY, HOUR, MINUTE
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
NOW = 1_780_012_800 + 12 * HOUR + 1234
dice = random.Random(5)
CALLS = sorted(
    (
        Arrived("f", dice.choice("ab"), NOW - int(dice.paretovariate(0.3) * 10) % (25 * DAY), time)
        for time in (round(dice.lognormvariate(-3, 1), 6) for _ in range(3000))
    ),
    key=astuple,
)
RANGES = {
    "a minute": (NOW - 59, NOW),
    "an hour": (NOW - HOUR, NOW),
    "an odd stretch": (NOW - 9 * DAY - 777, NOW - DAY - 33),
    "all": (NOW - 26 * DAY, NOW),
    "nothing": (NOW - 29 * DAY, NOW - 28 * DAY),
    "reversed": (NOW, NOW - HOUR),
}
ranges = pytest.mark.parametrize(("start", "end"), RANGES.values(), ids=RANGES)


@pytest.fixture
def series():
    Store(100).write(Calls(CALLS))
    return list(queries.series_of("f"))


def within(start, end):
    return [call for call in CALLS if start <= call.timestamp <= end]


@ranges
def test_a_range_adds_up_to_its_calls_in_two_queries(start, end, series):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        sums = queries.added_up(series, {"it": (start, end + 1)}).get("it")
    assert len(asked) <= 2
    times = sorted(call.execution_time for call in within(start, end))
    if sums is None:
        assert times == []
        return
    assert (sums.calls, sums.least, sums.most) == (len(times), times[0], times[-1])
    assert sums.total == pytest.approx(sum(times))
    for told, share in zip(queries.within(sums), queries.SHARES, strict=True):
        assert told == pytest.approx(times[-(-len(times) * int(share * 100) // 100) - 1], rel=GROWTH - 1)


@ranges
def test_the_slowest_calls_are_found_without_reading_all(start, end, series):
    wanted = sorted((call.execution_time for call in within(start, end)), reverse=True)[:10]
    with CaptureQueriesContext(connection) as asked:
        found = queries.slowest(series, start, end, 10, NOW).page
    assert [call.execution_time for call in found] == wanted
    assert all(start <= call.ts <= end for call in found)
    assert len(asked) <= 15


def test_slower_calls_beside_the_range_do_not_hide_its_own():
    hour = NOW - NOW % HOUR - HOUR
    slow = [Arrived("f", "t", hour + second, 10 + second / 1e4) for second in range(0, HOUR // 2, 12)]
    fast = [Arrived("f", "t", hour + second, 1 + second / 1e4) for second in range(HOUR // 2, HOUR, 12)]
    Store(100).write(Calls(slow + fast))
    found = queries.slowest(list(queries.series_of("f")), hour + HOUR // 2, hour + HOUR - 1, 10, NOW).page
    assert [call.execution_time for call in found] == [call.execution_time for call in fast[:-11:-1]]


def test_the_slowest_of_any_range_and_number_are_those_of_all_its_calls():
    calls = [
        Arrived("f", dice.choice("abc"), NOW - dice.randrange(4 * HOUR), number * 37 % 601 / 10)
        for number in range(600)
    ]
    Store(100).write(Calls(calls))
    series = list(queries.series_of("f"))
    for _ in range(80):
        start = NOW - dice.randrange(4 * HOUR)
        end, most = start + int(dice.paretovariate(0.2)) % (2 * HOUR), dice.choice([1, 2, 5, 20])
        wanted = sorted(
            (call.execution_time for call in calls if start <= call.timestamp <= end), reverse=True
        )
        found = queries.slowest(series, start, end, most, NOW).page
        assert [call.execution_time for call in found] == wanted[:most], (start, end, most)


@ranges
def test_the_latest_calls_come_last_first(start, end, series):
    found = queries.latest(series, start, end, 10).page
    times = sorted((call.timestamp for call in within(start, end)), reverse=True)[:10]
    assert [call.ts for call in found] == times


def test_the_other_fields_of_slow_calls_come_with_them():
    Store(100).write(
        Calls([Arrived("f", "t", NOW - n, 0.1 * n, f'{{"n":{n}}}' if n % 2 else "") for n in range(1, 6)])
    )
    found = queries.slowest(list(queries.series_of("f")), NOW - HOUR, NOW, 3, NOW)
    extras = [found.extras.get((call.series_id, call.ts, call.seq)) for call in found.page]
    assert extras == ['{"n":5}', None, '{"n":3}']


def test_calls_that_are_not_kept_any_more_are_not_looked_for(series):
    much_later = NOW + 60 * DAY
    assert queries.slowest(series, 0, much_later, 5, much_later).page == []


@pytest.mark.parametrize(
    ("age_s", "length", "grain"),
    [
        pytest.param(0, 900, spans.SECOND, id="new and short"),
        pytest.param(0, DAY, MINUTE, id="long"),
        pytest.param(40 * DAY, 900, MINUTE, id="calls are deleted"),
        pytest.param(100 * DAY, 900, HOUR, id="minutes are deleted"),
    ],
)
def test_what_there_is_decides_the_grain(age_s, length, grain, series):
    end = NOW - age_s
    assert queries.grain_of(series, end - length, end, NOW) == grain


def test_of_very_many_calls_minutes_are_added_up(series, monkeypatch):
    monkeypatch.setattr(queries, "MOST_READ", 10)
    assert queries.grain_of(series, NOW - HOUR, NOW, NOW) == MINUTE
    assert queries.grid_of(NOW - HOUR, NOW, 300, MINUTE).size == MINUTE


@pytest.mark.parametrize("query", ["slowest", "latest", "added_up"])
def test_each_part_of_the_question_goes_along_the_tables_own_order(query, series):
    ask = {
        "slowest": lambda: queries.slowest(series, NOW - DAY, NOW, 10, NOW),
        "latest": lambda: queries.latest(series, NOW - DAY, NOW, 10),
        "added_up": lambda: queries.added_up(series, {"it": (NOW - DAY - 77, NOW)}),
    }[query]
    with CaptureQueriesContext(connection) as asked:
        ask()
    for one in asked:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("EXPLAIN QUERY PLAN " + one["sql"])
                plan = [row[3] for row in cursor.fetchall()]
                assert not [line for line in plan if line.startswith("SCAN timings")], (one["sql"], plan)
                assert any("series_id=?" in line for line in plan), plan
