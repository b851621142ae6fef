"""The JSON of timings: who gets it, what it says of keys, calls and summaries, and what it refuses."""

from __future__ import annotations

from string import ascii_letters, digits
from urllib.parse import quote

import pytest
import time_machine

from accounts import tokens
from timings.calls import Calls
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
T = 1_780_012_800  # 2026-05-29 00:00 UTC
KEY = "shop.py-buy"
IN_ADDRESSES = {*ascii_letters, *digits, *"/?&=%-_.~+"}


def call(second=0, execution_time=0.25, key=KEY, token="t", extra=""):
    return Arrived(key, token, T + second, execution_time, extra)


def store(*calls):
    Store(1000).write(Calls(calls))


@pytest.fixture(autouse=True)
def _soon_after():
    """Calls of back then are still kept."""
    with time_machine.travel(T + 2 * 86_400):
        yield


@pytest.fixture
def get(member_client):
    def got(path, status=200, **query):
        answer = member_client.get(f"/api/v1/keys/{path}", query)
        assert answer.status_code == status, answer.content
        return answer.json()

    return got


# --- Who ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["", f"{KEY}/execution_times/", f"{KEY}/summary/", "execution_times/", "summary/?limit=x"]
)
def test_strangers_are_refused_in_json(stranger_client, path):
    answer = stranger_client.get(f"/api/v1/keys/{path}")
    assert (answer.status_code, list(answer.json())) == (401, ["error"])


def test_public_status_opens_nothing_of_timings(stranger_client, settings):
    settings.PUBLIC_STATUS = True
    assert stranger_client.get("/api/v1/keys/").status_code == 401


def test_a_token_of_scope_read_opens_them(stranger_client, member):
    _, secret = tokens.create(member, "graphs", ["read"])
    answer = stranger_client.get("/api/v1/keys/", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()) == (200, [])


# --- Keys ---------------------------------------------------------------------------------------
def test_keys_are_told_once_and_sorted(get):
    store(call(key="b"), call(key="a", token="x"), call(key="a", token="y"), call(key="B"))
    assert get("") == ["B", "a", "b"]
    assert get("", token="x") == ["a"]
    assert get("", q="B") == ["B", "b"]
    assert get("", q="\0") == []


def test_without_any_message_there_is_an_empty_list(get):
    assert get("") == []
    assert get("", detail="1") == []


def test_detail_tells_each_key_and_token(get):
    store(*(call(n, 0.001 * n) for n in range(1, 101)), call(5, 7.0, token="other"))
    other, mine = get("", detail="1")
    assert (mine["key"], mine["token"], mine["count"], mine["last_seen"]) == (KEY, "t", 100, T + 100)
    assert mine["mean"] == pytest.approx(0.0505)
    assert [mine["p50"], mine["p95"], mine["p99"]] == pytest.approx([0.050, 0.095, 0.099], rel=0.011)
    assert (other["token"], other["p50"], other["p99"]) == ("other", 7.0, 7.0)


# --- Calls --------------------------------------------------------------------------------------
def test_calls_come_oldest_first_with_their_other_fields(get):
    store(call(9, 0.9), call(3, 0.3, extra='{"user":"Ann","token":"x"}'), call(3, 0.1))
    assert get(f"{KEY}/execution_times/") == {
        "key": KEY,
        "execution_times": [
            {"user": "Ann", "execution_time": 0.3, "timestamp": T + 3, "token": "t"},
            {"execution_time": 0.1, "timestamp": T + 3, "token": "t"},
            {"execution_time": 0.9, "timestamp": T + 9, "token": "t"},
        ],
        "next": None,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, [0, 10, 20, 86_400], id="all"),
        pytest.param({"start_time": T + 10}, [10, 20, 86_400], id="from, included"),
        pytest.param({"end_time": T + 10}, [0, 10], id="until, included"),
        pytest.param({"start_time": "2026-05-29T00:00:10Z"}, [10, 20, 86_400], id="ISO"),
        pytest.param({"start_time": "2026-05-29", "end_time": "2026-05-29"}, [0, 10, 20], id="one day"),
        pytest.param({"end_time": "20260529"}, [0, 10, 20], id="a day without hyphens"),
        pytest.param({"end_time": "2026-W22-5"}, [0, 10, 20], id="a day of a week"),
        pytest.param({"start_time": "2026-W22-6"}, [86_400], id="from a day of a week"),
        pytest.param({"end_time": "2026-05-29T00:00:10.5Z"}, [0, 10], id="within a second"),
        pytest.param({"start_time": "0"}, [0, 10, 20, 86_400], id="from 1970"),
        pytest.param({"start_time": "1", "end_time": "99999"}, [], id="hours of 1970"),
        pytest.param({"end_time": "9999-12-31"}, [0, 10, 20, 86_400], id="to the end of times"),
        pytest.param({"start_time": "9999-12-31"}, [], id="from the end of times"),
        pytest.param({"start_time": T + 11, "end_time": T + 12}, [], id="nothing there"),
        pytest.param({"start_time": T + 20, "end_time": T + 10}, [], id="reversed"),
        pytest.param({"token": "nobody's"}, None, id="no such token"),
    ],
)
def test_a_range_is_a_part_of_the_calls(get, query, expected):
    store(*(call(second) for second in (0, 10, 20, 86_400)))
    if expected is None:
        get(f"{KEY}/execution_times/", 404, **query)
        return
    found = get(f"{KEY}/execution_times/", **query)["execution_times"]
    assert [one["timestamp"] - T for one in found] == expected


def test_pages_follow_each_other_without_gap_or_repetition(get, member_client):
    store(*(call(second // 3, 0.001 * second, token=f"t{second % 2}") for second in range(25)))
    page = get(f"{KEY}/execution_times/", limit=10)
    times = page["execution_times"]
    while page["next"]:
        page = member_client.get(page["next"]).json()
        times += page["execution_times"]
    assert [one["execution_time"] for one in times] == [0.001 * second for second in range(25)]


AWKWARD = [
    "a/b c",
    "<b>é漢🙂</b>",
    "a?b#c&d",
    "k" * 500,
    "summary/",
    "%2F",
    "o d/é?#%",
    "new\nline\r",
    "a//b",
]


@pytest.mark.parametrize("key", AWKWARD)
@pytest.mark.parametrize("in_path", [True, False])
def test_next_leads_to_all_calls_of_any_key(get, member_client, key, in_path):
    store(*(call(second, key=key) for second in range(5)))
    path, query = (f"{quote(key, safe='')}/", {}) if in_path else ("", {"key": key})
    page = get(f"{path}execution_times/", **query, limit=2, start_time=T + 1)
    times = page["execution_times"]
    while page["next"]:
        assert set(page["next"]) <= IN_ADDRESSES
        page = member_client.get(page["next"]).json()
        times += page["execution_times"]
    assert [one["timestamp"] - T for one in times] == [1, 2, 3, 4]


@pytest.mark.parametrize("key", AWKWARD)
def test_a_key_may_hold_any_sign(get, key):
    store(call(key=key))
    assert get("") == [key]
    assert len(get(f"{quote(key, safe='')}/execution_times/")["execution_times"]) == 1
    assert len(get("execution_times/", key=key)["execution_times"]) == 1
    assert get("summary/", key=key, start_time=T, end_time=T)["buckets"][0]["count"] == 1


@pytest.mark.parametrize("key", ["nobody", "a\0b", ""])
def test_an_unknown_key_is_404(get, key):
    assert list(get("execution_times/", 404, key=key)) == ["error"]
    assert list(get("summary/", 404, key=key)) == ["error"]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("execution_times/", {"start_time": "yesterday"}, "start_time"),
        ("execution_times/", {"end_time": "2026-13-01"}, "end_time"),
        ("execution_times/", {"start_time": "2026"}, "start_time"),
        ("execution_times/", {"end_time": "2026-W22"}, "end_time"),
        ("execution_times/", {"end_time": "20260230"}, "end_time"),
        ("execution_times/", {"limit": "0"}, "limit"),
        ("execution_times/", {"limit": "10001"}, "limit"),
        ("execution_times/", {"limit": "ten"}, "limit"),
        ("execution_times/", {"cursor": "rubbish"}, "cursor"),
        ("execution_times/", {"cursor": "é"}, "cursor"),
        ("summary/", {"start_time": "-"}, "start_time"),
        ("summary/", {"buckets": "-3"}, "buckets"),
    ],
)
def test_a_bad_parameter_is_named(get, path, query, field):
    store(call())
    assert get(f"{KEY}/{path}", 400, **query)["field"] == field


# --- Summaries ----------------------------------------------------------------------------------
def test_a_summary_tells_what_each_bucket_adds_up_to(get):
    store(call(0, 0.1), call(59, 0.3), call(60, 5.0), call(3 * 60, 0.2))
    told = get(f"{KEY}/summary/", start_time=T, end_time=T + 240, buckets=10)
    assert told["bucket_s"] == 30
    told = get(f"{KEY}/summary/", start_time=T, end_time=T + 240, buckets=5)
    assert told["bucket_s"] == 60
    assert [(b["start"] - T, b["count"], b["min"], b["max"]) for b in told["buckets"]] == [
        (0, 2, 0.1, 0.3),
        (60, 1, 5.0, 5.0),
        (180, 1, 0.2, 0.2),
    ]
    assert told["buckets"][0]["mean"] == pytest.approx(0.2)


@pytest.mark.parametrize("buckets", [1, 7, 100, 1000])
@pytest.mark.parametrize("span", [60, 3600, 86_400, 30 * 86_400, 365 * 86_400])
def test_buckets_of_any_size_hold_every_call(get, buckets, span):
    store(*(call(n * span // 50, 0.01 * (1 + n)) for n in range(50)))
    told = get(f"{KEY}/summary/", start_time=T, end_time=T + span, buckets=buckets)
    assert len(told["buckets"]) <= buckets
    assert sum(bucket["count"] for bucket in told["buckets"]) == 50


def test_without_a_range_a_summary_is_of_the_last_day(get):
    store(call(0), call(-90_000))
    with time_machine.travel(T + 3600, tick=False):
        told = get(f"{KEY}/summary/")
    assert (told["start_time"], told["end_time"]) == (T + 3600 - 86_400, T + 3600)
    assert [bucket["count"] for bucket in told["buckets"]] == [1]


# --- Figures, and single calls ------------------------------------------------------------------
def test_figures_are_compared_with_the_range_before(get):
    store(*(call(-second, 0.2) for second in range(60)), *(call(-second, 0.1) for second in range(60, 100)))
    with time_machine.travel(T, tick=False):
        told = get(f"{KEY}/figures/", start_time=T - 59, end_time=T)
    assert (told["count"], told["per_second"], told["mean"]) == (60, 1.0, pytest.approx(0.2))
    assert (told["before"]["count"], told["before"]["max"]) == (40, 0.1)
    assert (told["before"]["start_time"], told["before"]["end_time"]) == (T - 119, T - 60)
    assert told["changes"] == pytest.approx(
        {"count": 50} | dict.fromkeys(["mean", "p50", "p95", "p99", "max"], 100)
    )


@pytest.mark.parametrize("end", [pytest.param(1000, id="before now"), pytest.param(3300, id="after now")])
def test_the_last_hour_of_a_long_range_is_told_up_to_now(get, end):
    store(*(call(second) for second in range(0, 2761, 60)))
    with time_machine.travel(T + 2760, tick=False):
        told = get(f"{KEY}/figures/", start_time=T - 40 * 86_400, end_time=T + end)
    assert (told["end_time"], told["count"]) == (T + max(2760, end), 47)


def test_without_calls_there_are_no_figures(get):
    store(call())
    told = get(f"{KEY}/figures/", start_time=T + 100, end_time=T + 200)
    assert (told["count"], told["p95"], told["max"], told["changes"]["p95"]) == (0, None, None, None)


def test_the_slowest_and_the_last_calls_are_told(get):
    with time_machine.travel(T + 60, tick=False):
        store(*(call(n, 0.1 * (n % 7), extra=f'{{"n":{n}}}') for n in range(30)))
        slow = get(f"{KEY}/slowest/", limit=3)["execution_times"]
        late = get("latest/", key=KEY, limit=2, range="15m")["execution_times"]
    assert [one["n"] for one in slow] == [6, 13, 20]
    assert [(one["n"], one["timestamp"], one["token"]) for one in late] == [
        (29, T + 29, "t"),
        (28, T + 28, "t"),
    ]


def test_a_range_by_its_name_ends_now(get):
    store(call())
    with time_machine.travel(T + 60, tick=False):
        told = get(f"{KEY}/summary/", range="1h")
    assert (told["start_time"], told["end_time"]) == (T + 61 - 3600, T + 60)


@pytest.mark.parametrize("path", ["summary/", "figures/", "slowest/", "latest/", "execution_times/"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"range": "2h"}, "range"),
        ({"range": "1h", "end_time": "5"}, "range"),
        ({"end_time": "x"}, "end_time"),
    ],
)
def test_a_bad_range_is_refused_everywhere(get, path, query, field):
    store(call())
    assert get(f"{KEY}/{path}", 400, **query)["field"] == field


@pytest.mark.parametrize("path", ["figures/", "slowest/", "latest/"])
def test_unknown_keys_and_strangers_get_none_of_it(get, stranger_client, path):
    get(path, 404, key="nobody")
    assert stranger_client.get(f"/api/v1/keys/{KEY}/{path}").status_code == 401
