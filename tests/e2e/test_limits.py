"""From slow calls to a mail: a real receiver and datagrams, the job as cron starts it, a real mail server."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Instance
from tests.e2e.peers import MailServer
from tests.e2e.test_kodemon import datagram, kodemon

MINUTE_S = 60
ADD = """
from django.utils import timezone
from timings.models import Limit
Limit.objects.create(key="shop.py-buy", threshold_ms=200, minutes=1, since=timezone.now())
"""


@pytest.fixture
def told(instance: Instance, mail: MailServer) -> Instance:
    instance.settings |= mail.settings("ops@example.org")
    instance.must("shell", "-v0", "-c", ADD)
    return instance


def calls(seconds: float) -> list[bytes]:
    """Some of the last complete minute."""
    at = int(time.time()) // MINUTE_S * MINUTE_S - MINUTE_S
    return [datagram(key="shop.py-buy", execution_time=seconds, timestamp=at + each) for each in range(5)]


def change(instance: Instance, sql: str) -> None:
    with instance.connect() as connection:
        connection.execute(sql)


def test_slow_calls_are_one_mail_and_their_end_another(told, mail) -> None:
    with kodemon(told) as running:
        running.send(*calls(0.5))
        running.wait_until_stored(5)
        away = told.run("check_limits", EMAIL_PORT="1")  # nobody listens there
        assert "1 exceeded; 1 to be tried again" in away.stdout
        change(told, "UPDATE alerts_delivery SET next_try = (SELECT created FROM alerts_alert)")
        assert "1 alert sent" in told.must("send_alerts")
        change(told, "UPDATE timings_summary SET start = start - 600 WHERE level = 60")  # ten minutes go by
        running.send(*calls(0.1))
        running.wait_until_stored(10)
        assert "1 fine again; 1 alert sent" in told.must("check_limits")
    slow, fine = mail.subjects("ops@example.org")
    assert slow == "Slow: p95 of shop.py-buy is above 200 ms"
    assert fine.startswith("Fine again after ")
    assert "500 ms (5 calls)" in mail.rules.mails[0].get_body(("plain",)).get_content()
