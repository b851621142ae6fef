"""What the outbox tells of itself on the pages, in /healthz and in /metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts import watch
from alerts.channels.shape import Refused
from alerts.outbox import enqueue
from alerts.sending import send_due
from djamon.lib import hooks
from djamon.lib.hooks import Banner
from tests.alerts.conftest import DRAFT, NOW, Clock, Fake

pytestmark = pytest.mark.django_db
LINK = ("outages", "See the outages")
REFUSING = {"a@example.org": Refused("login refused: 535 no")}


def refused(clock: Clock) -> None:
    mail = Fake(answers=REFUSING)
    enqueue(DRAFT, NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)


def test_all_is_registered() -> None:
    assert watch.banners in hooks.banner_sources
    assert watch.health in hooks.health_sources
    assert watch.metrics in hooks.metric_sources


def test_nobody_to_be_told_is_said(settings: Any) -> None:
    assert list(watch.banners(NOW)) == [
        Banner("warning", "Nobody is configured to be told: set TO_EMAIL or TWITTER")
    ]


def test_no_banner_when_all_is_well(mail_settings: Any) -> None:
    assert list(watch.banners(NOW)) == []


def test_what_waits_is_said(mail_settings: Any, clock: Clock) -> None:
    refused(clock)
    assert list(watch.banners(NOW)) == [
        Banner("warning", "1 alert could not be delivered yet: e-mail: login refused", *LINK)
    ]


def test_what_was_given_up_is_said(mail_settings: Any, clock: Clock) -> None:
    refused(clock)
    send_due(channels={}, clock=clock, now=clock.move(hours=24))
    assert list(watch.banners(clock())) == [
        Banner("danger", "1 alert could not be delivered in 24 hours: e-mail: login refused", *LINK)
    ]


@pytest.mark.parametrize(
    ("references", "link"),
    [
        (["outage:1"], LINK),
        (["limit:1"], ("timings_limits", "See the limits")),
        (["limit:1", "outage:1"], LINK),
        (["outages:1"], ("", "")),
    ],
)
def test_the_link_leads_to_where_attempts_are_shown(
    references: list[str], link: tuple[str, str], mail_settings: Any, clock: Clock
) -> None:
    mail = Fake(answers=REFUSING)
    for reference in references:
        enqueue(replace(DRAFT, reference=reference), NOW, [mail])
    send_due(channels={"email": mail}, clock=clock)
    assert [(banner.url_name, banner.link_text) for banner in watch.banners(NOW)] == [link]


@pytest.mark.parametrize(
    ("waited_min", "ok", "detail"),
    [
        pytest.param(5, True, "1 waiting", id="soon"),
        pytest.param(30, True, "1 waiting", id="at-the-limit"),
        pytest.param(
            31, False, "1 waiting, the first due for 31 minutes: nobody runs send_alerts", id="dead"
        ),
    ],
)
def test_dead_when_nobody_sends(waited_min: int, ok: bool, detail: str) -> None:
    enqueue(DRAFT, NOW, [Fake()])
    (part,) = watch.health(NOW + timedelta(minutes=waited_min))
    assert (part.name, part.ok, part.detail, part.age_s) == ("alerts outbox", ok, detail, waited_min * 60)


def test_a_refusing_server_is_no_dead_outbox(clock: Clock) -> None:
    mail = Fake(answers=REFUSING)
    enqueue(DRAFT, NOW, [mail])
    for _ in range(120):  # two hours of send_alerts each minute
        send_due(channels={"email": mail}, clock=clock)
        clock.move(minutes=1)
    (part,) = watch.health(clock())
    assert (part.ok, part.detail) == (True, "1 waiting; e-mail: login refused")


def test_empty_outbox_is_well() -> None:
    (part,) = watch.health(NOW)
    assert (part.ok, part.detail, part.age_s) == (True, "nothing waits", 0)


def test_metrics(clock: Clock, django_assert_num_queries: Any) -> None:
    refused(clock)
    with django_assert_num_queries(2):
        samples = [each for metric in watch.metrics(NOW + timedelta(seconds=9)) for each in metric.samples]
    assert [(each.name, each.labels.get("result"), each.value) for each in samples] == [
        ("djamon_alerts_pending", None, 1),
        ("djamon_alerts_oldest_pending_seconds", None, 9),
        ("djamon_alert_attempts_total", "sent", 0),
        ("djamon_alert_attempts_total", "failed", 1),
    ]
