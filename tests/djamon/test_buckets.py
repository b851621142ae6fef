"""Every way to say a time range, every way to say it wrong, and the buckets of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djamon.lib.buckets import (
    RANGES,
    SIZES_S,
    Buckets,
    Choice,
    RangeRefused,
    TimeRange,
    buckets_for,
    named_range,
    parse_range,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # 13:00 in Berlin


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NAMED = {
    "none": ({}, "24h"),
    "empty": ({"range": "", "from": " ", "to": ""}, "24h"),
    "hour": ({"range": "1h"}, "1h"),
    "week": ({"range": " 7d "}, "7d"),
    "longest": ({"range": "90d"}, "90d"),
}


@pytest.mark.parametrize(("query", "name"), NAMED.values(), ids=NAMED)
def test_a_range_by_its_name_ends_now(query, name) -> None:
    assert parse_range(query, NOW, BERLIN) == TimeRange(NOW - RANGES[name][1], NOW, name)


SAID = {
    "local": ("2026-11-01T09:00", "2026-11-02T09:00", "2026-11-01T08:00", "2026-11-02T08:00"),
    "summer": ("2026-10-01T09:00", "2026-10-02T09:00", "2026-10-01T07:00", "2026-10-02T07:00"),
    "zulu": ("2026-11-01T09:00:00Z", "2026-11-01T10:00Z", "2026-11-01T09:00", "2026-11-01T10:00"),
    "offset": ("2026-11-01T09:00+05:30", "2026-11-01T10:00+05:30", "2026-11-01T03:30", "2026-11-01T04:30"),
    "plus lost": ("2026-11-01T09:00 05:30", "2026-11-01T10:00 0530", "2026-11-01T03:30", "2026-11-01T04:30"),
    "space": ("2026-11-01 09:00", "2026-11-01 10:00:30", "2026-11-01T08:00", "2026-11-01T09:00:30"),
    "days": ("2026-11-01", "2026-11-02", "2026-10-31T23:00", "2026-11-02T23:00"),
    "one day": ("2026-11-01", "2026-11-01", "2026-10-31T23:00", "2026-11-01T23:00"),
    "day of 25 hours": ("2026-10-25", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    "until today": ("2026-11-20", "2026-11-22", "2026-11-19T23:00", "2026-11-22T12:00"),
    "no end": ("2026-11-22", "", "2026-11-21T23:00", "2026-11-22T12:00"),
    "epoch": ("1793523600", "1793527200.5", "2026-11-01T09:00", "2026-11-01T10:00:00.500000"),
    "clock ahead": ("2026-11-22", "2026-11-22T13:04", "2026-11-21T23:00", "2026-11-22T12:00"),
    "until tonight": ("2026-11-22T00:00", "2026-11-22T23:59", "2026-11-21T23:00", "2026-11-22T12:00"),
    "until tomorrow": ("2026-11-20", "2026-11-23", "2026-11-19T23:00", "2026-11-22T12:00"),
    "until 2070": ("2026-11-20", "2070-01-01", "2026-11-19T23:00", "2026-11-22T12:00"),
    "days without hyphens": ("20261101", "20261101", "2026-10-31T23:00", "2026-11-01T23:00"),
    "week dates": ("2026-W47-5", "2026W475", "2026-11-19T23:00", "2026-11-20T23:00"),
    "no seconds at all": ("0", "1", "1970-01-01", "1970-01-01T00:00:01"),
    "a few seconds": ("59.5", "00100", "1970-01-01T00:00:59.5", "1970-01-01T00:01:40"),
    "eight digits, no day": ("99999999", "100003599", "1973-03-03T09:46:39", "1973-03-03T10:46:39"),
    "until 9999": ("2026-11-20", "9999-12-31", "2026-11-19T23:00", "2026-11-22T12:00"),
    "long ago": ("1970-01-02", "1970-01-02", "1970-01-01T23:00", "1970-01-02T23:00"),
    "just 90 days": ("2026-03-01T00:00Z", "2026-05-30T00:00Z", "2026-03-01", "2026-05-30"),
}


@pytest.mark.parametrize(("start", "end", "from_utc", "to_utc"), SAID.values(), ids=SAID)
def test_from_and_to(start, end, from_utc, to_utc) -> None:
    assert parse_range({"from": start, "to": end}, NOW, BERLIN) == TimeRange(utc(from_utc), utc(to_utc))


REFUSED = {
    "unknown": ({"range": "2y"}, "range", "no range “2y”; there are 1h, 24h"),
    "huge word": ({"range": "x" * 5000}, "range", "“" + "x" * 40 + "”"),
    "both": ({"range": "1h", "from": "2026-11-01"}, "range", "either range, or from"),
    "no beginning": ({"to": "2026-11-01"}, "from", "begins, too"),
    "rubbish": ({"from": "yesterday"}, "from", "“yesterday” is no moment"),
    "rubbish end": ({"from": "2026-11-01", "to": "<b>"}, "to", "“<b>” is no moment"),
    "no such day": ({"from": "2026-02-30"}, "from", "no moment"),
    "negative": ({"from": "-5"}, "from", "no moment"),
    "milliseconds": ({"from": "1793523600000"}, "from", "no moment"),
    "too great": ({"from": "999999999999"}, "from", "no moment"),
    "arabic digits": ({"from": "٢٠٢٦"}, "from", "no moment"),
    "NUL": ({"from": "2026-11-01\0"}, "from", "no moment"),
    "year 10000": ({"from": "2026-11-01", "to": "10000-01-01"}, "to", "no moment"),
    "no such day without hyphens": ({"from": "20260230"}, "from", "no moment"),
    "no such week": ({"from": "2026-W60-1"}, "from", "no moment"),
    "a week": ({"from": "2026-W47"}, "from", "no moment"),
    "year 1": ({"from": "0001-01-01T00:00+14:00"}, "from", "no moment"),
    "before 1970": ({"from": "1890-01-01", "to": "1890-01-02"}, "from", "1970"),
    "end before 1970": ({"from": "2026-11-01", "to": "1890-01-02"}, "to", "1970"),
    "reversed": ({"from": "2026-11-02", "to": "2026-10-31"}, "to", "before it begins"),
    "empty": ({"from": "2026-11-02T09:00", "to": "2026-11-02T09:00"}, "to", "before it begins"),
    "future": ({"from": "2026-11-23", "to": "2026-11-24"}, "from", "begins in the future"),
    "until 2070, since 1970": ({"from": "1970-01-02", "to": "2070-01-01"}, "from", "longer than 90 days"),
    "years": ({"from": "2026", "to": "2027"}, "from", "“2026” is no moment"),
    "a year at the end": ({"from": "2026-11-01", "to": "2026"}, "to", "“2026” is no moment"),
    "years that were seconds": ({"from": "1900", "to": "2100"}, "from", "“1900” is no moment"),
    "a month": ({"from": "2026-11"}, "from", "no moment"),
    "90 days and one": ({"from": "2026-03-01T00:00Z", "to": "2026-05-30T00:00:01Z"}, "from", "90 days"),
    "century": ({"from": "1970-01-02"}, "from", "longer than 90 days"),
}


@pytest.mark.parametrize(("query", "field", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_field(query, field, said) -> None:
    refusal = parse_range(query, NOW, BERLIN)
    assert isinstance(refusal, RangeRefused)
    assert refusal.field == field
    assert said in refusal.error


QUARTERS = Choice({"15m": ("last quarter", timedelta(minutes=15))}, "15m", timedelta(days=1))


def test_a_page_may_offer_ranges_of_its_own() -> None:
    assert parse_range({}, NOW, BERLIN, QUARTERS) == TimeRange(NOW - timedelta(minutes=15), NOW, "15m")
    assert parse_range({"range": "24h"}, NOW, BERLIN, QUARTERS) == RangeRefused(
        "There is no range “24h”; there are 15m.", "range"
    )
    assert parse_range({"from": "2026-11-20"}, NOW, BERLIN, QUARTERS) == RangeRefused(
        "The range is longer than 1 days.", "from"
    )


@given(st.text(), st.text(), st.text())
def test_whatever_is_said_there_is_an_answer_within_bounds(name, start, end) -> None:
    found = parse_range({"range": name, "from": start, "to": end}, NOW, BERLIN)
    if isinstance(found, TimeRange):
        assert timedelta(0) < found.end - found.start <= timedelta(days=90)
        assert found.end <= NOW


# --- Buckets -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "size_s"), [("1h", 10), ("24h", 300), ("7d", 1800), ("30d", 7200), ("90d", 21_600)]
)
def test_the_buckets_of_a_range(name, size_s) -> None:
    assert buckets_for(named_range(name, NOW), UTC, 500).size_s == size_s


@given(st.integers(1, 90 * 86_400), st.integers(2, 1000), st.sampled_from(["UTC", "Asia/Kolkata"]))
def test_a_range_is_never_cut_into_more_than_asked(seconds, most, zone) -> None:
    shown = TimeRange(NOW - timedelta(seconds=seconds), NOW)
    buckets = buckets_for(shown, ZoneInfo(zone), most)
    last = buckets.number_of(shown.end - timedelta(microseconds=1))
    assert last - buckets.number_of(shown.start) < most or buckets.size_s == SIZES_S[-1]


def test_a_bucket_begins_at_the_midnight_of_the_zone() -> None:
    buckets = Buckets(86_400, 3600)
    assert buckets.start_of(utc("2026-11-21T23:00")) == utc("2026-11-21T23:00")
    assert buckets.start_of(utc("2026-11-22T22:59:59.999999")) == utc("2026-11-21T23:00")
