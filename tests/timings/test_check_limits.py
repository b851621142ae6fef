"""The job that judges limits, on a real database: what is read, written and enqueued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import DataError, connection, transaction

from alerts.models import Alert, Delivery
from alerts.sending import send_due
from jobs.models import JobRun
from tests.alerts.conftest import Fake
from timings import limit_check
from timings.calls import Calls
from timings.limits import MINUTE_S, SETTLE_S
from timings.models import MINUTE, Limit, Summary
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
LAST = 1_780_000_020 // MINUTE_S * MINUTE_S  # the last complete minute
NOW_S = LAST + MINUTE_S + SETTLE_S
NOW = datetime.fromtimestamp(NOW_S, UTC)
SLOW, FAST = 0.3, 0.1


class Context:
    held = 0

    def hold(self):
        assert connection.in_atomic_block
        self.held += 1


@pytest.fixture(autouse=True)
def _somebody_is_told(settings):
    settings.TO_EMAIL = ["ops@example.org"]


def calls(*seconds, minute=0, key="shop.py-buy", token="t"):
    """Calls in the minute that lies so many minutes before the last complete one."""
    Store(1000).write(Calls([Arrived(key, token, LAST - minute * MINUTE_S, each) for each in seconds]))


def make_limit(**fields):
    given = {"key": "shop.py-buy", "threshold_ms": 200, "minutes": 2, "since": NOW - timedelta(hours=9)}
    return Limit.objects.create(**given | fields)


def check(now_s=NOW_S):
    return limit_check.check(Context(), clock=lambda: now_s, pause=lambda _seconds: None)


def subjects():
    return list(Alert.objects.order_by("pk").values_list("subject", flat=True))


def test_without_limits_it_says_so():
    assert check() == "no limit is set"


def test_what_is_slow_for_so_long_is_an_alert():
    limit = make_limit()
    calls(SLOW, minute=1)
    calls(SLOW, SLOW)
    assert check() == "1 limit judged: 1 exceeded"
    limit.refresh_from_db()
    assert (limit.state, limit.since, limit.over_since) == (
        "over",
        NOW - timedelta(seconds=122),
        limit.since,
    )
    assert (limit.newest_ms, limit.newest_calls) == (pytest.approx(300, rel=0.01), 2)
    alert = Alert.objects.get()
    assert (alert.reference, alert.subject) == (
        f"limit:{limit.pk}",
        "Slow: p95 of shop.py-buy is above 200 ms",
    )
    assert alert.deliveries.get().address == "ops@example.org"


def test_to_check_again_in_the_same_minute_changes_nothing():
    make_limit()
    make_limit(key="quiet")
    calls(SLOW, minute=1)
    calls(SLOW)
    check()
    before = list(Limit.objects.values())
    assert check(NOW_S + 30) == "2 limits judged"
    assert list(Limit.objects.values()) == before
    assert Alert.objects.count() == 1


def test_the_end_is_told_with_how_long_it_lasted():
    limit = make_limit(minutes=5, state="over", over_since=NOW - timedelta(seconds=482))
    calls(SLOW, minute=5)
    calls(FAST, minute=3)
    calls(FAST)
    assert check() == "1 limit judged: 1 fine again"
    limit.refresh_from_db()
    assert (limit.state, limit.over_since) == ("fine", None)
    assert subjects() == ["Fine again after 3 minutes: p95 of shop.py-buy"]


def test_a_silence_is_told_once():
    make_limit(state="over", over_since=NOW - timedelta(hours=2))
    assert check() == "1 limit judged: 1 not heard any more"
    assert check(NOW_S + 60) == "1 limit judged"
    assert subjects() == ["Not known any more: p95 of shop.py-buy"]
    assert "No receiver has ever run." in Alert.objects.get().text


@pytest.mark.parametrize("minute", [0, 10, 14, 15])
def test_a_call_that_takes_long_is_seen_when_it_comes(minute):
    """It began ten minutes ago and took nine: its minute is over for long."""
    make_limit(minutes=1, figure="max", threshold_ms=300_000)
    calls(540, minute=minute)
    assert check() == ("1 limit judged: 1 exceeded" if minute < 15 else "1 limit judged")


@pytest.mark.parametrize(
    ("figure", "value"), [("p50", 100), ("p95", 900), ("p99", 900), ("mean", 260), ("max", 900)]
)
def test_each_figure_is_taken_from_the_sums(figure, value):
    limit = make_limit(figure=figure)
    calls(*[FAST] * 4, 0.9)
    check()
    limit.refresh_from_db()
    assert limit.newest_ms == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(
    ("token", "calls_counted", "value"),
    [("", 3, 500), ("a", 2, 200), ("b", 1, 500), ("c", None, None)],
    ids=["any", "a", "b", "unknown"],
)
def test_of_a_token_or_of_all_together(token, calls_counted, value):
    limit = make_limit(token=token, figure="max")
    calls(0.1, 0.2, token="a")
    calls(0.5, token="b")
    calls(0.9, key="other")
    check()
    limit.refresh_from_db()
    assert (limit.newest_calls, limit.newest_ms) == (calls_counted, value)


@pytest.mark.parametrize("key", ["a/b c.py-f", "straße.py-größe", "<b>'\"%s\\", "x" * 500])
def test_any_key_is_found(key):
    limit = make_limit(key=key, minutes=1)
    calls(SLOW, key=key)
    assert check() == "1 limit judged: 1 exceeded"
    assert Alert.objects.get().reference == f"limit:{limit.pk}"


def test_a_paused_limit_is_left_alone():
    make_limit(enabled=False, minutes=1)
    calls(SLOW)
    assert check() == "no limit is set"


def test_a_limit_of_a_whole_day_looks_a_day_back():
    make_limit(minutes=1440)
    for minute in range(0, 1441, 2):
        calls(SLOW, minute=minute)
    assert check() == "1 limit judged: 1 exceeded"


def test_the_minute_that_has_just_ended_is_waited_for():
    make_limit(minutes=1)
    calls(SLOW)
    waits: list[float] = []
    times = iter([LAST + MINUTE_S + 0.5, NOW_S])
    assert limit_check.check(Context(), lambda: next(times), waits.append) == "1 limit judged: 1 exceeded"
    assert waits == [SETTLE_S - 0.5]


def test_a_standing_that_cannot_be_written_takes_its_alert_with_it():
    """More calls than the column holds; with fewer, the next run tells of it."""
    make_limit(minutes=1)
    calls(SLOW, token="a")
    calls(SLOW, token="b")
    minutes = Summary.objects.filter(level=MINUTE)
    minutes.update(count=1 << 62)
    with pytest.raises((OverflowError, DataError)), transaction.atomic():
        check()
    assert not Alert.objects.exists()
    assert Limit.objects.get().state == "unknown"
    minutes.update(count=1)
    assert check() == "1 limit judged: 1 exceeded"


@pytest.mark.parametrize(
    "changed", [{"version": 2}, {"enabled": False}, None], ids=["edited", "paused", "gone"]
)
def test_who_changed_a_limit_meanwhile_is_not_overruled(changed):
    limit = make_limit(minutes=1)
    calls(SLOW)

    class Changes(Context):
        def hold(self):
            rows = Limit.objects.filter(pk=limit.pk)
            rows.delete() if changed is None else rows.update(**changed)

    assert limit_check.check(Changes(), lambda: NOW_S) == "1 limit judged"
    assert not Alert.objects.exists()
    assert not Limit.objects.filter(state="over").exists()


@pytest.mark.parametrize("limits", [1, 30])
def test_it_asks_as_often_however_many_limits(limits, django_assert_num_queries):
    for number in range(limits):
        make_limit(key=f"f{number}", threshold_ms=1000)
        calls(SLOW, key=f"f{number}")
    # Limits, minutes; begin, versions, standings, end. On PostgreSQL Django does not see the standings.
    with django_assert_num_queries(6 if connection.vendor == "sqlite" else 5):
        check()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by its statistics")
def test_minutes_are_read_along_their_keys():
    named = {"level": 60, "last": LAST, "silence": 60}
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + limit_check.MINUTES_SQL, named)
        plan = [row[3] for row in cursor.fetchall()]
    assert plan == [
        "SCAN limits",
        "SEARCH series USING COVERING INDEX sqlite_autoindex_timings_series_1 (key=?)",
        "SEARCH sums USING PRIMARY KEY (level=? AND series_id=? AND start>? AND start<?)",
    ]


def test_late_alerts_about_one_limit_come_as_one_message():
    limit = make_limit(minutes=1)
    calls(SLOW)
    check()
    calls(FAST, minute=-6)
    check(NOW_S + 360)
    fake = Fake(to=["ops@example.org"])
    send_due(NOW + timedelta(minutes=8), channels={"email": fake}, clock=lambda: NOW + timedelta(minutes=8))
    assert [message.reference for message in fake.messages] == [f"limit:{limit.pk}"]
    assert fake.messages[0].subject == (
        "Fine again after 1 minute: p95 of shop.py-buy "
        "(late, and before it: Slow: p95 of shop.py-buy is above 200 ms)"
    )
    assert not Delivery.objects.exclude(state="sent").exists()


@pytest.mark.django_db(transaction=True)
def test_the_command_runs_it_as_a_job(capsys):
    call_command("check_limits")
    assert capsys.readouterr().out == "check_limits: no limit is set; no alerts to send\n"
    run = JobRun.objects.get()
    assert (run.name, run.state) == ("check_limits", "done")
