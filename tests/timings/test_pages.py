"""The pages of timings: who gets them, what they say, and what they ask of the database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from timings import words
from timings.addresses import path_of
from timings.calls import Calls
from timings.models import Receiver
from timings.reports import SILENT_AFTER, lives
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
T = 1_780_012_800  # 2026-05-29 00:00 UTC
NOW = datetime.fromtimestamp(T, UTC)
KEY = "shop.py-buy"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def get(member_client):
    def got(path, status=200, part=False, **query):
        headers = {"X-Part": "1"} if part else {}
        answer = member_client.get(path, query, headers=headers)
        assert answer.status_code == status, answer.content
        return unescape(answer.content.decode())

    return got


def store(*calls):
    Store(100_000).write(Calls(calls))


def call(age_s=0, execution_time=0.25, key=KEY, token="t", extra=""):
    return Arrived(key, token, T - age_s, execution_time, extra)


def receiver(age=timedelta(), address="127.0.0.1:4000", **figures):
    return Receiver.objects.create(address=address, started=NOW, updated=NOW - age, **figures)


def rows(page):
    """The keys of the list in their order."""
    return re.findall(r'class="breakable timings-key" href="[^"]*"><bdi>([^<]*)', page)


# --- Who ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/timings/", f"/timings/{KEY}", "/timings/?key=x"])
@pytest.mark.parametrize("public", [False, True])
def test_strangers_are_sent_to_the_login(stranger_client, path, public, settings):
    settings.PUBLIC_STATUS = public
    answer = stranger_client.get(path)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login/")


def test_staff_and_members_see_the_same(staff_client, get):
    store(call())
    assert rows(staff_client.get("/timings/").content.decode()) == rows(get("/timings/")) == [KEY]


def test_strangers_are_told_of_no_such_page(stranger_client, settings):
    settings.PUBLIC_STATUS = True
    assert b">Timings<" not in stranger_client.get("/").content


# --- The list -----------------------------------------------------------------------------------
def test_without_any_call_it_says_how_to_send_one(get, settings):
    settings.KODEMON_HOST, settings.KODEMON_PORT = "0.0.0.0", 4321
    page = get("/timings/")
    assert "@kodemon" in page
    assert "KODEMON_HOST=testserver KODEMON_PORT=4321" in page
    assert "nc -u -w1 testserver 4321" in page
    assert "No receiver has run here yet" in page


def test_the_address_is_that_of_the_receiver_that_lives(get, settings):
    settings.KODEMON_PORT = 0
    receiver()
    page = get("/timings/")
    assert "nc -u -w1 127.0.0.1 4000" in page
    assert "KODEMON_PORT=" not in page


SORTED = {
    "": ["a", "b", "c"],
    "-key": ["c", "b", "a"],
    "-count": ["b", "a", "c"],
    "count": ["a", "c", "b"],
    "-last": ["c", "a", "b"],
    "-mean": ["a", "c", "b"],
    "-p50": ["a", "c", "b"],
    "-p95": ["a", "b", "c"],
    "p99": ["c", "b", "a"],
    "rubbish": ["a", "b", "c"],
}


@pytest.mark.parametrize(("sort", "keys"), SORTED.items())
def test_functions_are_sorted_by_what_the_query_says(get, sort, keys):
    store(call(50, 9.0, "a"), *(call(90, 0.1, "b") for _ in range(10)), call(90, 5.0, "b"), call(5, 1.0, "c"))
    assert rows(get("/timings/", sort=sort)) == keys


def test_a_link_in_the_header_turns_the_order(get):
    store(call())
    page = get("/timings/", sort="-p95", q="buy")
    assert 'aria-sort="descending"><a href="?q=buy&sort=p95"' in page
    assert 'href="?q=buy&sort=-count"' in page


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"q": "BUY"}, ["shop.py-buy"]),
        ({"q": "nobody"}, []),
        ({"q": "\0"}, ["a", "shop.py-buy"]),
        ({"token": "other"}, ["a"]),
        ({"token": "nobody"}, []),
    ],
)
def test_functions_are_searched_by_name_and_token(get, query, keys):
    store(call(), call(key="a", token="other"))
    assert rows(get("/timings/", **query)) == keys


def test_what_came_with_several_tokens_stands_apart(get):
    store(call(token="prod"), call(token="test"), call(token="test"))
    page = get("/timings/")
    assert rows(page) == [KEY, KEY]
    assert f'href="/timings/{KEY}?token=prod"' in page


def test_the_receivers_figures_are_told(get):
    store(call())
    receiver(received=1234, stored=1200, refused={"not JSON": 30, "no key": 4}, kernel_drops=5, queued=6)
    page = get("/timings/")
    for said in ("1,234", "1,200", ">34<", "30 not JSON", "4 no key", ">5<", ">6<", "receiving"):
        assert said in page
    assert "has not reported" not in page


def test_a_receiver_that_is_silent_is_told(get):
    store(call())
    receiver(timedelta(minutes=3))
    page = get("/timings/")
    assert "has not reported since" in page
    assert "2026-05-28 23:57:00" in page


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ages", "shown", "said"),
    [
        pytest.param([timedelta(), DAY], [1, 2], None, id="silent for a day"),
        pytest.param(
            [timedelta(), DAY * 1.01, DAY * 9], [1], "2 more receivers, silent for", id="for longer"
        ),
        pytest.param([timedelta(minutes=1), DAY * 9], [1], "1 more receiver, silent for", id="one"),
        pytest.param([DAY * 8, DAY * 9], [1], "1 more receiver, silent for", id="the last there was"),
    ],
)
def test_receivers_that_were_silent_for_long_are_left_out(get, ages, shown, said):
    for number, age in enumerate(ages, start=1):
        receiver(age, address=f"127.0.0.1:{number}")
    page = get("/timings/")
    assert re.findall(r'text-nowrap">127.0.0.1:(\d)', page) == [str(number) for number in shown]
    assert said in page if said else "more receiver" not in page


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(), True), (SILENT_AFTER, True), (SILENT_AFTER * 1.1, False), (-SILENT_AFTER * 2, False)],
)
def test_a_receiver_lives_while_it_reports(age, expected):
    assert lives(NOW - age, NOW) is expected


def test_queries_do_not_grow_with_functions(get):
    store(call())
    with CaptureQueriesContext(connection) as few:
        get("/timings/")
    store(*(call(n, key=f"f{n:03}") for n in range(200)))
    for sort in SORTED:
        with CaptureQueriesContext(connection) as many:
            assert len(rows(get("/timings/", sort=sort))) == 50
        assert len(many) <= len(few) + 1


def test_a_script_gets_what_moves_alone(get):
    store(call())
    page = get("/timings/", part=True)
    assert rows(page) == [KEY]
    assert "<html" not in page
    assert "timings-q" not in page


# --- A function ---------------------------------------------------------------------------------
def test_a_function_tells_its_figures_beside_those_before(get):
    store(*(call(n, 0.2) for n in range(4)), *(call(3600 + n, 0.1) for n in range(2)))
    page = get(f"/timings/{KEY}")
    assert "Execution time, last hour" in page
    assert "4 calls, 4 an hour." in page
    assert "The hour before" in page
    assert "100 % more" in page
    assert "100 % slower" in page


def test_slowest_and_last_calls_come_with_their_other_fields(get):
    store(call(5, 3.0, extra='{"user":"Ann <b>","n":[1,2]}'), call(2, 0.1))
    page = get(f"/timings/{KEY}")
    slowest, latest = page.split('id="timings-slowest"')[1].split('id="timings-latest"')
    assert slowest.index("3,000 ms") < slowest.index("100 ms")
    assert latest.index("100 ms") < latest.index("3,000 ms")
    assert "Ann <b>" in slowest
    assert "[1,2]" in slowest


def test_a_long_field_is_cut_and_longer_in_its_title(get):
    store(call(2, extra=f'{{"query":"SELECT {"x" * 400}","trace":"a\\n  b","user":"Ann"}}'))
    latest = get(f"/timings/{KEY}").split('id="timings-latest"')[1]
    assert f'title="SELECT {"x" * 400}">SELECT {"x" * 292}…<' in latest
    assert "<bdi>a b</bdi>" in latest
    assert "<bdi>Ann</bdi>" in latest


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_moments_are_in_the_zone_of_the_pages(get, settings, zone):
    settings.TIME_ZONE = zone
    store(call())
    assert {"UTC": "00:00:00 UTC", "Europe/Berlin": "02:00:00 CEST"}[zone] in get(f"/timings/{KEY}")


def test_where_the_range_has_no_call_the_last_one_is_a_link(get):
    store(call(86_400))
    page = get(f"/timings/{KEY}")
    assert "No call began in this time." in page
    link = re.search(r'href="(\?from=\d+&to=\d+)">show the hours around it', page)
    assert link is not None
    assert "1 call." in get(f"/timings/{KEY}{link[1]}")


REFUSED = {
    "reversed": ({"from": "2026-05-28T10:00", "to": "2026-05-28T09:00"}, "ends before it begins"),
    "future": ({"from": "2027-01-01"}, "begins in the future"),
    "century": ({"from": "1971-01-01", "to": "2026-05-01"}, "longer than 3660 days"),
    "end of times": ({"from": "9999-12-31T23:59Z"}, "begins in the future"),
    "garbage": ({"from": "yesterday"}, "“yesterday” is no moment"),
    "no end of garbage": ({"from": "x" * 3000, "to": "\0"}, "is no moment"),
    "unknown name": ({"range": "2h"}, "There is no range “2h”"),
    "both": ({"range": "1h", "from": "2026-05-01"}, "either range, or from and to"),
}


@pytest.mark.parametrize(("query", "said"), REFUSED.values(), ids=REFUSED)
def test_a_range_that_cannot_be_shown_is_told_beside_its_field(get, settings, query, said):
    settings.TIME_ZONE = "Pacific/Kiritimati"
    store(call())
    page = get(f"/timings/{KEY}", **query)
    assert said in page
    assert "Shown: last hour." in page
    assert "1 call." in page
    if query.get("from") and "range" not in query:
        assert 'aria-invalid="true"' in page


@pytest.mark.parametrize(
    ("query", "moves"),
    [
        ({}, True),
        ({"range": "1y"}, True),
        ({"from": "2026-05-28"}, True),
        ({"from": "2026-05-27", "to": "2026-05-28"}, False),
    ],
)
def test_only_what_ends_now_moves(get, query, moves):
    store(call(), call(100_000))
    page = get(f"/timings/{KEY}", **query)
    assert ('data-events="/events/timings?key=shop.py-buy"' in page) is moves
    assert ("does not move" in page) is not moves


def test_a_token_limits_all_of_it_and_stays(get):
    store(call(token="a"), call(token="b"), call(token="b"))
    page = get(f"/timings/{KEY}", token="b")
    assert "2 calls" in page
    assert 'href="?token=b&range=7d"' in page
    assert "key=shop.py-buy&token=b&range=1h" in page
    page = get(f"/timings/{KEY}", token="nobody")
    assert "Nobody has sent this key with the token “<bdi>nobody" in page
    assert "3 calls" in page


@pytest.mark.parametrize(
    "key",
    [
        "a/b c",
        "<b>é漢🙂</b>",
        "a?b#c&d",
        "k" * 500,
        "%2F",
        "..",
        "a/../b",
        "a//b",
        "/",
        "limits/",
        "a\nb",
        "a\\b",
    ],
)
def test_a_key_may_hold_any_sign(get, key):
    store(call(key=key))
    assert "1 call." in get(path_of(key))
    assert "1 call." in get("/timings/", key=key)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("shop.py-buy", "/timings/shop.py-buy"),
        ("a/b c", "/timings/a/b%20c"),
        ("..", "/timings/?key=.."),
        ("limits/", "/timings/?key=limits%2F"),
        ("", "/timings/?key="),
    ],
)
def test_where_a_path_would_be_folded_the_key_is_a_parameter(key, path):
    assert path_of(key) == path


def test_a_key_with_a_line_end_has_its_page_by_path_too(get):
    store(call(key="new\nline"))
    assert '<h1 class="breakable clamped"><bdi>new' in get("/timings/new%0Aline")


def test_a_key_that_turns_the_direction_of_text_is_shown_without_it(get):
    key = "\u202eevil\x1b"
    store(call(key=key, token="\u202et", extra='{"a\u202e":"b\u202e"}'), call(key=key))
    assert rows(get("/timings/")) == ["�evil�", "�evil�"]
    page = get("/timings/", key=key)
    assert '<h1 class="breakable clamped"><bdi>�evil�</bdi>' in page
    assert "<bdi>a�</bdi>" in page
    for shown in (get("/timings/"), page):
        assert "\u202e" not in re.sub(r'value="[^"]*"', "", shown)


@pytest.mark.parametrize("path", ["/timings/nobody", "/timings/?key=", "/timings/?key=a%00b"])
def test_an_unknown_function_is_not_found(get, path):
    assert "No function with this key" in get(path, 404)


def test_questions_do_not_grow_with_calls_or_the_range(get):
    store(call())
    with CaptureQueriesContext(connection) as few:
        get(f"/timings/{KEY}", range="1y")
    store(*(call(5000 * n, 0.001 * n) for n in range(1, 500)))
    with CaptureQueriesContext(connection) as many:
        get(f"/timings/{KEY}", range="1y")
    assert len(many) <= len(few) + 12  # a look into each minute that has one of the slowest


# --- Words --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 ms"),
        (2.5e-6, "2.5 µs"),
        (8.5e-5, "85 µs"),
        (0.00042, "0.42 ms"),
        (0.012, "12 ms"),
        (1.234, "1,234 ms"),
        (12.34, "12.3 s"),
        (1234, "1,234 s"),
    ],
)
def test_times_are_told_in_a_unit_that_fits(seconds, said):
    assert words.took(seconds) == said


@pytest.mark.parametrize(
    ("per_second", "said"),
    [
        (1234.5, "1,234 a second"),
        (2.5, "2.5 a second"),
        (0.5, "30 a minute"),
        (0.001, "3.6 an hour"),
        (1e-5, "0.86 a day"),
    ],
)
def test_rates_are_told_in_a_unit_that_fits(per_second, said):
    assert words.rate(per_second) == said


@pytest.mark.parametrize(
    ("per_cent", "sign", "said"),
    [
        (None, "", "nothing to compare with"),
        (12.3, "▲", "12 % slower"),
        (-8, "▼", "8 % faster"),
        (0.2, "=", "as before"),
        (1300, "▲", "14 times as much"),
    ],
)
def test_changes_are_told_by_sign_and_in_words(per_cent, sign, said):
    assert (words.sign(per_cent), words.change(per_cent, "slower", "faster")) == (sign, said)
