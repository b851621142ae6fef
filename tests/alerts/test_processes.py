"""Senders as processes of their own: killed in the middle, and two at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from tests.alerts.servers import MailRules, mail_server

START = (
    "import sys, django; django.setup(); from datetime import timedelta; from django.utils import timezone\n"
)
ENQUEUE = START + (
    "from alerts.outbox import AlertDraft, enqueue\n"
    "for n in range(int(sys.argv[1])):\n"
    "    enqueue(AlertDraft(f'outage:{n}', 's', 't', 'h', None), timezone.now())"
)
# The clock of this one goes ahead by so many minutes.
SEND = START + (
    "from alerts.sending import send_due\n"
    "ahead = timedelta(minutes=int(sys.argv[1]))\n"
    "print(send_due(clock=lambda: timezone.now() + ahead))"
)
Starter = Callable[[str, int], "subprocess.Popen[str]"]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that several processes can share: a file, or the test database of the server."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{tmp_path}/outbox.sqlite3"
    request.getfixturevalue("transactional_db")
    of: dict[str, Any] = connection.settings_dict
    return f"postgres://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT'] or 5432}/{of['NAME']}"


@pytest.fixture
def rules() -> MailRules:
    return MailRules()


@pytest.fixture
def start(database_url: str, rules: MailRules) -> Iterator[Starter]:
    """Starts a script in a process of its own, with a real mail server for three addresses."""
    running: list[subprocess.Popen[str]] = []
    with mail_server(rules) as port:
        env = os.environ | {
            "DATABASE_URL": database_url,
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(port),
            "TO_EMAIL": "a@example.org,b@example.org,c@example.org",
        }

        def start(script: str, argument: int) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", script, str(argument)]
            process = subprocess.Popen(
                command, cwd=django_settings.BASE_DIR, env=env, stdout=subprocess.PIPE, text=True
            )
            running.append(process)
            return process

        if "sqlite" in database_url:
            migrate = [sys.executable, "manage.py", "migrate", "alerts", "--skip-checks", "-v0"]
            subprocess.run(migrate, cwd=django_settings.BASE_DIR, env=env, check=True)
        yield start
        for process in running:
            process.kill()
            process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out.strip()


def test_killed_while_sending_repeats_that_one_alone(start: Starter, rules: MailRules) -> None:
    rules.holds = "b@example.org"
    said(start(ENQUEUE, 1))
    victim = start(SEND, 0)
    assert rules.held.wait(60)  # the server has the whole message to b, the sender no answer
    victim.kill()
    victim.wait(60)
    rules.go_on.set()
    assert said(start(SEND, 0)) == "1 alert sent"
    assert rules.taken() == ["a@example.org", "b@example.org", "c@example.org"]
    assert said(start(SEND, 5)) == "1 alert sent"  # its lease is over
    assert rules.taken()[3:] == ["b@example.org"]
    assert rules.mails[1]["Message-ID"] == rules.mails[3]["Message-ID"]
    assert said(start(SEND, 10)) == "no alerts to send"


def test_a_sender_that_looked_first_sends_nothing_that_another_has_sent(
    start: Starter, rules: MailRules
) -> None:
    rules.holds = "a@example.org"
    said(start(ENQUEUE, 1))
    slow = start(SEND, 0)
    assert rules.held.wait(60)  # it knows of all three by now and has one under way
    assert said(start(SEND, 0)) == "2 alerts sent"
    rules.go_on.set()
    assert said(slow) == "1 alert sent"
    assert Counter(rules.taken()) == Counter(["a@example.org", "b@example.org", "c@example.org"])


def test_two_senders_at_once_send_each_once(start: Starter, rules: MailRules) -> None:
    said(start(ENQUEUE, 20))
    senders = [start(SEND, 0), start(SEND, 0)]
    assert all("be tried" not in said(sender) for sender in senders)
    assert len(rules.mails) == 60
    assert len({mail["Message-ID"] for mail in rules.mails}) == 60
