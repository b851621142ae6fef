"""What the page of one outage tells: its figures, who was told, and the moments of its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from alerts.models import Alert, Attempt, Delivery
from monitor import notes, outage_history, outage_queries
from monitor.models import Outage
from monitor.outage_history import Figures
from monitor.timeline import Kind
from tests.monitor.factories import make_down, make_group, make_outage

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def after(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def outage() -> Outage:
    return make_outage(make_down(name="a"), make_down(name="b"), opened_at=START)


def deliver(outage: Outage, address: str, told_at: datetime | None, state: str = "") -> Delivery:
    """An alert of its own to ``address``: sent at ``told_at``, or waiting, or in the given state."""
    alert = Alert.objects.create(
        reference=f"outage:{outage.pk}", subject="Down", text="", html="", created=START, expires=START
    )
    return Delivery.objects.create(
        alert=alert,
        channel="email",
        address=address,
        state=state or ("sent" if told_at else "pending"),
        next_try=after(90),
        sent_at=told_at,
    )


# --- Figures -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (Figures(1, 0, 1), "1 site"),
        (Figures(2, 1, 2), "2 sites; 1 still down"),
        (Figures(1000, 40, 161), "161 sites, 1,000 falls; 40 still down"),
        (Figures(2, 0, 1), "1 site, 2 falls"),
    ],
)
def test_figures_leave_out_what_goes_without_saying(figures: Figures, words: str) -> None:
    assert str(figures) == words


def test_sites_that_are_gone_still_count(outage) -> None:
    outage.falls.filter(site_name="a").update(back_at=after(5))
    fall = outage.falls.get(site_name="a")
    fall.pk, fall.back_at = None, after(9)
    fall.save()
    assert outage_history.figures(outage, insider=True) == Figures(falls=3, still_down=1, sites=2)
    fall.site.delete()
    assert outage_history.figures(outage, insider=True) == Figures(falls=3, still_down=1, sites=2)


# --- Who was told --------------------------------------------------------------------------------
def test_of_each_recipient_the_first_time_counts(outage) -> None:
    deliver(outage, "late@example.org", after(60))
    deliver(outage, "late@example.org", after(30))
    deliver(outage, "early@example.org", after(10))
    told = outage_history.told(outage)
    assert [(who.address, who.offset) for who in told.recipients] == [
        ("early@example.org", "+10 seconds"),
        ("late@example.org", "+30 seconds"),
    ]


def test_who_was_not_reached_stands_last(outage) -> None:
    deliver(outage, "a-waits@example.org", None)
    deliver(outage, "b-lost@example.org", None, state="expired")
    deliver(outage, "c@example.org", after(10))
    told = outage_history.told(outage)
    assert [(who.address, who.told_at, who.next_try) for who in told.recipients] == [
        ("c@example.org", after(10), None),
        ("a-waits@example.org", None, after(90)),
        ("b-lost@example.org", None, None),
    ]


def test_later_messages_that_have_not_arrived_are_counted(outage) -> None:
    deliver(outage, "ops@example.org", after(10))
    deliver(outage, "ops@example.org", None)
    deliver(outage, "ops@example.org", None, state="expired")
    deliver(outage, "waits@example.org", None)
    told = outage_history.told(outage)
    assert [(who.address, who.waiting, who.lost, who.next_try) for who in told.recipients] == [
        ("ops@example.org", 1, 1, after(90)),
        ("waits@example.org", 1, 0, after(90)),
    ]
    assert told.unsent == 3


def test_of_many_recipients_the_rest_is_counted(outage) -> None:
    for number in range(13):
        deliver(outage, f"ops-{number}@example.org", after(number))
    told = outage_history.told(outage)
    assert (len(told.recipients), told.more) == (10, 3)


def test_no_alert_is_not_the_same_as_nobody_to_tell(outage) -> None:
    assert outage_history.told(outage).alerts is False
    deliver(outage, "ops@example.org", None).delete()
    told = outage_history.told(outage)
    assert (told.alerts, told.recipients) == (True, [])


# --- The line ------------------------------------------------------------------------------------
@pytest.fixture
def told_outage(outage: Outage, staff: User) -> Outage:
    """All kinds of moments, some of them in the same instant."""
    outage.falls.update(back_at=after(60), ending="back")
    Outage.objects.update(resolved_at=after(60))
    delivery = deliver(outage, "ops@example.org", after(60))
    Alert.objects.update(created=after(60))
    Attempt.objects.create(delivery=delivery, at=after(60), ok=True, result="accepted")
    notes.add(outage, staff, "The cable.", after(60))
    notes.add(outage, staff, "Called the hoster.", after(30))
    return Outage.objects.get()


def kinds(outage: Outage, **limits: object) -> list[str]:
    return [Kind(kind).name for _, kind, _ in outage_history.moments(outage, **limits)]  # type: ignore[arg-type]


def test_the_database_orders_moments_as_the_rule_does(told_outage) -> None:
    assert kinds(told_outage, insider=True) == [
        *("FELL", "FELL", "NOTE", "ENDED", "ENDED", "OVER", "ALERT", "ATTEMPT", "NOTE")
    ]


def test_strangers_get_the_falls_alone(told_outage) -> None:
    assert kinds(told_outage, insider=False) == ["FELL", "FELL", "ENDED", "ENDED", "OVER"]


def test_to_strangers_it_is_over_when_the_public_sites_are_back(told_outage) -> None:
    intra = make_down(name="wiki", group=make_group(internal=True))
    told_outage.falls.filter(site_name="b").update(site=intra, back_at=None, ending="")
    Outage.objects.update(resolved_at=None)
    seen = outage_queries.find_outage(told_outage.pk, insider=False)
    assert seen is not None
    line = [(at, Kind(kind).name) for at, kind, _ in outage_history.moments(seen, insider=False)]
    assert line == [(START, "FELL"), (after(60), "ENDED"), (after(60), "OVER")]
    assert outage_history.figures(seen, insider=False) == Figures(falls=1, still_down=0, sites=1)


def test_moments_up_to_a_time_tell_the_place_of_a_note(told_outage) -> None:
    assert kinds(told_outage, insider=True, until=after(30)) == ["FELL", "FELL", "NOTE"]


def test_other_outages_stay_out(told_outage) -> None:
    other = make_outage(make_down(), opened_at=after(600))
    assert kinds(other, insider=True) == ["FELL"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_no_table_is_scanned_for_the_line(outage) -> None:
    assert "SCAN" not in outage_history.moments(outage, insider=True)[2000:2100].explain()
