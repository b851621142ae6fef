"""The clock is set back, forward, or changes with the summer: no false outage, no missed one, nothing lost.

The calendar and the scheduler under the same faults are in tests/jobs: test_calendar, test_due, test_leases.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from alerts.models import Alert
from alerts.sending import send_due
from jobs.runner import run_job
from monitor import sweep
from monitor.due import Selection
from monitor.models import Outage, OutageSites, Site
from tests.alerts.conftest import Fake
from tests.e2e.peers import WebServer
from tests.monitor.factories import make_group

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
SUMMER_BEGINS = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)  # in Berlin 01:59, and a minute later 03:00
SUMMER_ENDS = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)  # 02:59, and a minute later 02:00 once more
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

CLOCKS = {
    "as it should be": (NOON, MINUTE),
    "an hour back": (NOON, timedelta(hours=-1)),
    "a second back": (NOON, timedelta(seconds=-1)),
    "a day forward": (NOON, timedelta(days=1)),
    "a year back": (NOON, timedelta(days=-365)),
    "summer time begins": (SUMMER_BEGINS, MINUTE),
    "summer time ends": (SUMMER_ENDS, MINUTE),
}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def shop(web: WebServer, settings: Any) -> Site:
    settings.TIME_ZONE, settings.TO_EMAIL, settings.PROBE_TIMEOUT = "Europe/Berlin", ["ops@example.org"], 5
    return Site.objects.create(
        group=make_group(), name="shop", slug="shop", url=web.url("shop"), interval_min=1
    )


def run(at: datetime) -> str:
    """One run, as cron starts it at that time of this machine's clock."""
    with time_machine.travel(at, tick=True):
        return run_job("probe", lambda context: sweep.sweep(context, Selection())).message


@pytest.mark.parametrize("strike", [1, 2, 3])
@pytest.mark.parametrize(("start", "jump"), CLOCKS.values(), ids=CLOCKS)
def test_the_third_strike_counts_whatever_the_clock_did(start, jump, strike, shop, web) -> None:
    """The clock jumps before the given strike; each run asks the site, whose interval is a minute."""
    web.codes["shop"] = 503
    at = start
    for number in (1, 2, 3):
        assert Outage.objects.count() == 0
        at += jump if number == strike else MINUTE
        assert "1 failed" in run(at)
    assert Outage.objects.filter(resolved_at=None).count() == 1
    web.codes.clear()
    assert "resolved" in run(at + MINUTE)
    outage, fall = Outage.objects.get(), OutageSites.objects.get()
    assert outage.resolved_at is not None
    assert outage.opened_at <= outage.resolved_at
    assert fall.ending == "back"


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(seconds=-1), MINUTE], ids=str)
def test_an_alert_is_sent_whatever_the_clock_did_in_the_run_before(jump, shop, web) -> None:
    web.codes["shop"] = 503
    for number in range(3):
        run(NOON + number * MINUTE)
    mail = Fake(to=["ops@example.org"])
    told = NOON + 2 * MINUTE + jump
    with time_machine.travel(told, tick=True):
        send_due(channels={"email": mail})
    late = max(timedelta(0), -jump) + MINUTE
    with time_machine.travel(told + late, tick=True):  # not before the time at which it was written
        send_due(channels={"email": mail})
    assert [message.subject for message in mail.messages] == ["Down: shop"]


def test_a_day_forward_gives_up_visibly_what_waited(shop, web) -> None:
    web.codes["shop"] = 503
    for number in range(3):
        run(NOON + number * MINUTE)
    mail = Fake(to=["ops@example.org"])
    with time_machine.travel(NOON + timedelta(days=1, hours=1), tick=True):
        assert str(send_due(channels={"email": mail})) == "1 given up after 24 hours"
        assert Alert.objects.get().expires < timezone.now()


def test_a_day_forward_in_the_middle_of_a_run_voids_it(shop, web) -> None:
    web.codes["shop"] = 503

    def work(context: Any) -> str:
        with time_machine.travel(timezone.now() + timedelta(days=1), tick=True):
            return sweep.sweep(context, Selection())

    with pytest.raises(Exception, match="the lease of probe was lost"):
        run_job("probe", work)
    shop.refresh_from_db()
    assert (shop.state, shop.failures) == ("unknown", 0)
