"""send_alerts and alert_test, against real servers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from alerts.models import Delivery
from alerts.outbox import enqueue
from jobs.models import JobRun
from jobs.runner import run_job
from tests.alerts.conftest import DRAFT
from tests.alerts.servers import MailRules, Reply, XRules, closed_port, mail_server, x_server


def run(name: str) -> list[str]:
    out = io.StringIO()
    call_command(name, stdout=out)
    return out.getvalue().splitlines()


# run_job reports from a thread of its own
@pytest.mark.django_db(transaction=True)
def test_send_alerts_sends_and_says_so(mail_settings: Any) -> None:
    enqueue(DRAFT, timezone.now())
    with mail_server(MailRules()) as mail_settings.EMAIL_PORT:
        assert run("send_alerts") == ["send_alerts: 3 alerts sent"]
    assert JobRun.objects.get().message == "3 alerts sent"


@pytest.mark.django_db(transaction=True)
def test_send_alerts_has_done_its_work_where_the_server_is_down(mail_settings: Any) -> None:
    enqueue(DRAFT, timezone.now())
    with closed_port() as mail_settings.EMAIL_PORT:
        assert run("send_alerts") == ["send_alerts: 3 to be tried again (e-mail: connection refused)"]
    assert Delivery.objects.filter(state="pending").count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_second_send_alerts_says_that_one_runs() -> None:
    lines: list[str] = []

    def work(_context: Any) -> str:
        lines.extend(run("send_alerts"))
        return "done"

    run_job("send_alerts", work)
    assert len(lines) == 1
    assert lines[0].startswith("send_alerts: ")
    assert "running" in lines[0]


def test_alert_test_says_what_each_answered(mail_settings: Any, x_settings: Any) -> None:
    mails, x = MailRules(refused={"b@example.org": "550 No such user"}), XRules([Reply(401, b"{}")])
    out = io.StringIO()
    with (
        mail_server(mails) as mail_settings.EMAIL_PORT,
        x_server(x) as x_settings.TWITTER_API_URL,
        pytest.raises(CommandError, match="2 of 4 test messages were not sent"),
    ):
        call_command("alert_test", stdout=out)
    assert out.getvalue().splitlines() == [
        "e-mail to a@example.org: sent",
        "e-mail to b@example.org: refused: the server refused this address: 550 No such user",
        "e-mail to c@example.org: sent",
        "Twitter/X: refused: login refused: 401 Unauthorized",
    ]


def test_alert_test_ends_well_where_all_was_sent(mail_settings: Any) -> None:
    with mail_server(MailRules()) as mail_settings.EMAIL_PORT:
        assert run("alert_test")[-1] == "e-mail to c@example.org: sent"


def test_alert_test_without_anybody_to_tell(settings: Any) -> None:
    with pytest.raises(CommandError, match="nobody is configured to be told: set TO_EMAIL or TWITTER"):
        run("alert_test")
