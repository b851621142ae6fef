"""The response times as JSON and on the site's page: who gets them, what they say, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from djamon.lib.buckets import named_range
from monitor.api import TimesOut
from monitor.models import SiteHour, SiteView
from monitor.series import Fall, Point, Series
from monitor.timechart import _lines, panel_of, range_in_words, summary_of, times_data
from monitor.verdicts import Verdict
from tests.monitor.factories import make_group, make_outage, make_up, make_view, make_views

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
DOWN = {"verdict": Verdict.DOWN, "code": 503, "reason": "HTTP 503 Service Unavailable"}
URL = "/site/shop/times.json"


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def shop(db):
    """Asked each minute for a while; one answer was bad, and it was down once."""
    site = make_up(NOW, name="Shop", slug="shop")
    make_views(site, 30, NOW - MINUTE)
    make_view(site, NOW - 40 * MINUTE, **DOWN)
    make_outage(site, opened_at=NOW - 45 * MINUTE, resolved_at=NOW - 35 * MINUTE)
    return site


# --- JSON ----------------------------------------------------------------------------------------
def test_each_request_is_a_point(shop, member_client) -> None:
    data = member_client.get(URL, {"range": "1h"}).json()
    assert (data["site"], data["slug"], data["range"], data["bucket_s"]) == ("Shop", "shop", "1h", None)
    assert (data["from"], data["to"], data["zone"]) == ("2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z", "UTC")
    assert data["title"] == "Response time of Shop, last hour"
    assert [line["key"] for line in data["lines"]] == ["average_ms"]
    assert data["lines"][0]["values"] == [None] + [12.3] * 30
    assert data["marks"] == [{"at": "2026-11-22T11:20:00Z", "text": "HTTP 503 Service Unavailable"}]
    assert data["areas"] == [
        {"from": "2026-11-22T11:15:00Z", "to": "2026-11-22T11:25:00Z", "text": "connection refused"}
    ]


def test_many_requests_are_buckets_with_phases(shop, member_client) -> None:
    make_views(shop, 600, NOW - timedelta(hours=2))
    make_view(shop, NOW - 39 * MINUTE)
    SiteView.objects.update(connect_ms=1.0, wait_ms=2.0)
    data = member_client.get(URL).json()
    assert (data["range"], data["bucket_s"]) == ("24h", 300)
    keys = [line["key"] for line in data["lines"]]
    assert keys == ["connect_ms", "wait_ms", "average_ms", "slowest_ms", "requests"]
    assert {len(line["values"]) for line in data["lines"]} == {len(data["at"])}
    assert data["marks"][0]["text"] == "1 of 2 failed: HTTP 503 Service Unavailable"


def make_hour(site, days: int, **fields) -> None:
    """60 good answers of 10 ms each, so many days ago."""
    tally = {"runs": 60, "up": 60, "down": 0, "inconclusive": 0, "expected": 60, "ms_sum": 600.0}
    SiteHour.objects.create(site=site, hour=NOW - timedelta(days=days), **tally | fields)


SPLIT = {"connect_ms_sum": 120.0, "wait_ms_sum": 480.0}
LONG = [{"range": "30d"}, {"range": "90d"}, {"from": "2026-11-05", "to": "2026-11-21"}]


@pytest.mark.parametrize("query", LONG, ids=["30d", "90d", "from and to"])
def test_long_ranges_have_phases_and_the_whole_where_they_are_not_known(member_client, db, query) -> None:
    site = make_up(slug="shop")
    for days, fields in ((14, {}), (10, SPLIT), (5, SPLIT)):
        make_hour(site, days, **fields)
    data = member_client.get(URL, query).json()
    assert TimesOut.model_validate(data).model_dump(mode="json", by_alias=True) == data
    assert {line["key"]: line["values"] for line in data["lines"] if line["look"] == "stacked"} == {
        "connect_ms": [None, 2.0, 2.0],
        "wait_ms": [None, 8.0, 8.0],
        "unsplit_ms": [10.0, None, None],
    }
    assert data["summary"].startswith("10 ms on average")


def test_a_site_without_answers(member_client) -> None:
    make_up(slug="shop")
    data = member_client.get(URL).json()
    assert (data["at"], data["marks"], data["areas"]) == ([], [], [])
    assert data["summary"] == "Nothing was asked in this time."


@pytest.mark.parametrize("query", [{"range": "1h"}, {"range": "90d"}, {"from": "2026-11-22", "to": ""}])
def test_answers_are_as_described(shop, member_client, query) -> None:
    data = member_client.get(URL, query).json()
    assert TimesOut.model_validate(data).model_dump(mode="json", by_alias=True) == data


def test_the_description_has_the_parameters_and_the_refusal(member_client) -> None:
    described = member_client.get("/api/openapi.json").json()["paths"]["/site/{slug}/times.json"]["get"]
    assert [(p["name"], p["in"]) for p in described["parameters"]] == [
        ("slug", "path"),
        ("range", "query"),
        ("from", "query"),
        ("to", "query"),
    ]
    assert set(described["responses"]) == {"200", "400", "401", "403", "404"}
    assert reverse("site_times", args=["shop"]) == URL


REFUSED = {
    "reversed": ({"from": "2026-11-20", "to": "2026-11-19T00:00"}, "to"),
    "future": ({"from": "2027-01-01"}, "from"),
    "century": ({"from": "1970-01-02"}, "from"),
    "rubbish": ({"from": "\0", "to": "\ud83d"}, "from"),
    "unknown": ({"range": "1y"}, "range"),
}


@pytest.mark.parametrize(("query", "field"), REFUSED.values(), ids=REFUSED)
def test_a_range_that_cannot_be_shown_is_400_with_its_field(shop, member_client, query, field) -> None:
    response = member_client.get(URL, {key: value.encode("utf-8", "replace") for key, value in query.items()})
    assert response.status_code == 400
    assert set(response.json()) == {"error", "field"}
    assert response.json()["field"] == field


def test_readers_may_ask_and_strangers_get_401(
    shop, staff_client, member_client, stranger_client, settings
) -> None:
    assert staff_client.get(URL).status_code == member_client.get(URL).status_code == 200
    assert stranger_client.get(URL).status_code == stranger_client.get(f"{URL}?range=x").status_code == 401
    settings.PUBLIC_STATUS = True
    assert stranger_client.get(URL).status_code == 200


def test_strangers_learn_nothing_of_internal_sites(db, stranger_client, member_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    make_up(slug="shop", group=make_group(internal=True))
    response = stranger_client.get(URL)
    assert (response.status_code, response.json()) == (404, {"error": "There is no site with this slug."})
    assert member_client.get(URL).status_code == 200


def test_answers_are_never_cached_and_cannot_be_posted_to(shop, member_client) -> None:
    assert "no-store" in member_client.get(URL)["Cache-Control"]
    assert member_client.post(URL).status_code == 405


@pytest.mark.parametrize("range_", ["24h", "90d"])
def test_the_number_of_queries(shop, member_client, django_assert_num_queries, range_) -> None:
    SiteHour.objects.create(
        site=shop, hour=NOW - timedelta(hours=1), runs=1, up=1, down=0, inconclusive=0, expected=1, ms_sum=1
    )
    with django_assert_num_queries(6):  # session, user, site; count or last hour, points, falls
        member_client.get(URL, {"range": range_})


# --- In words ------------------------------------------------------------------------------------
def series(*points: Point, falls: tuple[Fall, ...] = ()) -> Series:
    return Series(named_range("1h", NOW), None, list(points), list(falls))


GOOD = Point(NOW - 30 * MINUTE, 1, 1, 0, 20.0, 20.0)
SLOW = Point(NOW - 20 * MINUTE, 1, 1, 0, 1040.0, 1040.0)
BAD = Point(NOW - 10 * MINUTE, 1, 0, 1, reason="HTTP 500")
WORDS = {
    "nothing": ((), "Nothing was asked in this time."),
    "one": ((GOOD,), "20 ms on average, 20 ms at the slowest (at 2026-11-22 12:30). It did not fail."),
    "good": (
        (GOOD, SLOW),
        "530 ms on average, 1,040 ms at the slowest (at 2026-11-22 12:40). No request failed.",
    ),
    "bad": ((BAD,), "No good answer came. 1 of 1 requests failed."),
    "both": (
        (GOOD, BAD),
        "20 ms on average, 20 ms at the slowest (at 2026-11-22 12:30). 1 of 2 requests failed.",
    ),
}


@pytest.mark.parametrize(("points", "words"), WORDS.values(), ids=WORDS)
def test_the_summary(points, words) -> None:
    assert summary_of(series(*points), NOW, BERLIN) == words


def test_the_summary_counts_the_time_down_within_the_range() -> None:
    falls = Fall(NOW - 90 * MINUTE, NOW - 50 * MINUTE, 1, ""), Fall(NOW - 5 * MINUTE, None, 2, "")
    assert summary_of(series(falls=falls), NOW, UTC).endswith("Down 2 times, for 15 minutes.")


def test_a_range_in_words(db) -> None:
    assert range_in_words(named_range("30d", NOW), BERLIN) == "last 30 days"
    panel = panel_of(make_up(), {"from": "2026-11-01", "to": "2026-11-02"}, NOW, BERLIN)
    assert panel.words == "2026-11-01 00:00 to 2026-11-03 00:00"
    assert panel.typed == {"from": "2026-11-01T00:00", "to": "2026-11-03T00:00"}


def test_a_moment_within_the_data_is_of_the_zone(shop) -> None:
    assert times_data(shop, named_range("1h", NOW), NOW, BERLIN)["zone"] == "Europe/Berlin"


SPLIT_UP = Point(NOW - 25 * MINUTE, 1, 1, 0, 20.0, 20.0, connect_ms=5.0, wait_ms=15.0)
AT_ONCE = Point(NOW - 25 * MINUTE, 1, 1, 0, 0.0, 0.0, wait_ms=0.0)
LINES = {
    "no phases": ((GOOD, BAD), {"average_ms": ("area", [20.0, None])}),
    "phases of no length": ((AT_ONCE,), {"average_ms": ("area", [0.0])}),
    "phases": (
        (SPLIT_UP, BAD),
        {
            "connect_ms": ("stacked", [5.0, None]),
            "wait_ms": ("stacked", [15.0, None]),
            "average_ms": ("told", [20.0, None]),
        },
    ),
    "some phases": (
        (GOOD, SPLIT_UP, BAD, AT_ONCE),
        {
            "connect_ms": ("stacked", [None, 5.0, None, None]),
            "wait_ms": ("stacked", [None, 15.0, None, 0.0]),
            "unsplit_ms": ("stacked", [20.0, None, None, None]),
            "average_ms": ("told", [20.0, 20.0, None, 0.0]),
        },
    ),
}


@pytest.mark.parametrize(("points", "lines"), LINES.values(), ids=LINES)
def test_the_stack_is_as_high_as_the_average(points, lines) -> None:
    found = {line["key"]: (line["look"], line["values"]) for line in _lines(series(*points))}
    assert found == lines


# --- The page ------------------------------------------------------------------------------------
def page(client, query: str = "") -> str:
    """The part of the site's page that shows the times."""
    response = client.get(f"/site/shop/{query}")
    assert response.status_code == 200
    text: str = response.content.decode()
    return text[text.index('aria-labelledby="times"') : text.index('aria-labelledby="results"')]


def test_the_page_has_the_chart_and_the_same_as_a_table(shop, member_client) -> None:
    text = page(member_client, "?range=1h")
    assert 'data-chart="/site/shop/times.json?range=1h"' in text
    assert "1 of 31 requests failed. Down once, for 10 minutes." in text
    table = text[text.index("The same as a table") :]
    assert table.count("<tr>") == 32
    assert "HTTP 503 Service Unavailable" in table


def test_the_table_is_bounded_and_says_how_long_a_row_is(shop, member_client) -> None:
    make_views(shop, 600, NOW - timedelta(hours=2))
    text = page(member_client)
    assert "a row for each 30 minutes" in text
    assert text.count("<tr>") <= 51


def test_the_range_that_is_shown_is_marked(shop, member_client) -> None:
    text = page(member_client, "?range=7d")
    assert 'href="?range=7d#times" aria-current="true"' in text
    assert text.count("aria-current") == 1


def test_a_range_of_ones_own_stays_in_the_form(shop, member_client) -> None:
    text = page(member_client, "?from=2026-11-22T11:00&to=2026-11-22T11:30")
    assert 'value="2026-11-22T11:00"' in text
    assert "times.json?from=2026-11-22T11%3A00%3A00%2B00%3A00&amp;to=2026-11-22T11%3A30" in text


@pytest.mark.parametrize(("query", "field"), REFUSED.values(), ids=REFUSED)
def test_a_refused_range_is_said_beside_its_field(shop, member_client, query, field) -> None:
    text = page(member_client, f"?{urlencode(query, errors='replace')}")
    assert text.count('role="alert"') == 1
    assert "times.json?range=24h" in text
    if field != "range":
        assert f'id="range-{field}"' in text[: text.index('aria-invalid="true"')].rpartition("<input")[2]


def test_what_was_typed_is_kept_and_escaped(shop, member_client) -> None:
    text = page(member_client, "?from=2026-11-22T10:00&to=%22%3E%3Cb%3E")
    assert 'value="2026-11-22T10:00"' in text
    assert "<b>" not in text


def test_a_site_that_was_never_asked_has_no_chart(db, member_client) -> None:
    make_up(slug="shop")
    text = page(member_client)
    assert "Nothing was asked in this time." in text
    assert "data-chart=" not in text
    assert "The same as a table" not in text


def test_the_table_of_a_long_range_has_phases_and_a_dash_where_they_are_not_known(db, member_client) -> None:
    site = make_up(slug="shop")
    make_hour(site, 20)
    make_hour(site, 10, **SPLIT)
    text = page(member_client, "?range=30d")
    assert text.index(">Average<") < text.index(">Connect<") < text.index(">Wait<")
    before, after = text.partition("<tbody>")[2].split("<tr>")[1:]
    assert before.count(">10 ms<") == 1
    assert before.count(">–<") == 3  # the slowest is not known either
    assert ">2 ms<" in after
    assert ">8 ms<" in after
