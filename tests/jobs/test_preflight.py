"""A wrong setting is refused before anything starts, by both commands of `make run`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from jobs.preflight import refuse_mistakes


def test_without_mistakes_nothing_is_said() -> None:
    refuse_mistakes("up")


def test_each_mistake_is_a_line_with_its_setting_and_a_hint(settings: Any) -> None:
    settings.TO_EMAIL, settings.TWITTER, settings.TWITTER_API_URL = ["foo"], True, ""
    with pytest.raises(CommandError) as refusal:
        refuse_mistakes("up")
    lines = str(refusal.value).splitlines()
    words = "up: TO_EMAIL: 'foo' is not an e-mail address. Write TO_EMAIL as name@example.org"
    assert sum(line.startswith(words) for line in lines) == 1
    assert [line.split()[0] for line in lines] == ["up:"] * 6  # four keys, the address to post to, the mail's
    assert refusal.value.returncode == 1


@pytest.mark.parametrize("command", ["prepare", "up"])
def test_both_commands_refuse(command: str, settings: Any) -> None:
    settings.FROM_EMAIL = "djamon"
    with pytest.raises(CommandError, match=f"^{command}: FROM_EMAIL: 'djamon' is not an e-mail address"):
        call_command(command)


def test_on_the_command_line_it_is_one_line_and_status_1() -> None:
    done = subprocess.run(
        [sys.executable, django_settings.BASE_DIR / "manage.py", "prepare"],
        env=os.environ | {"TO_EMAIL": "foo", "DATABASE_URL": "sqlite://:memory:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("CommandError: prepare: TO_EMAIL: 'foo'")
