from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import IO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError, OperationalError

from djamon.lib.commands import DjamonError, OneLineCommand


class Failing(OneLineCommand):
    """A command that fails as it is told."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(stdout=StringIO())
        self.error = error

    def run(self, **options) -> None:
        if self.error:
            raise self.error
        self.say("done")


EXPECTED = {
    "ours": (DjamonError("the sandbox is gone"), "test_commands: the sandbox is gone"),
    "locked": (OperationalError("database is locked"), "test_commands: database: database is locked"),
    "several lines": (OperationalError("gone\n\tIs the server\nrunning?"), "gone Is the server running?"),
    "no words": (InterfaceError(), "test_commands: database: InterfaceError"),
    "no tables": (
        OperationalError("no such table: jobs_lease"),
        "no such table: jobs_lease; run `make run`, or manage.py migrate, first",
    ),
    "no tables on PostgreSQL": (
        DatabaseError('relation "jobs_lease" does not exist\nLINE 1: SELECT'),
        "; run `make run`, or manage.py migrate, first",
    ),
    "tables of an older version": (OperationalError("no such column: a.b"), "manage.py migrate, first"),
    "other database fault": (DatabaseError("disk I/O error"), "database: disk I/O error"),
}


@pytest.mark.parametrize(("error", "line"), EXPECTED.values(), ids=EXPECTED)
def test_an_expected_failure_is_one_line_and_status_1(error, line) -> None:
    with pytest.raises(CommandError) as failure:
        call_command(Failing(error))
    assert line in str(failure.value)
    assert (failure.value.returncode, "\n" in str(failure.value)) == (1, False)


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        call_command(Failing(ZeroDivisionError()))


def test_what_went_well_is_said() -> None:
    command = Failing(None)
    call_command(command)
    assert command.stdout.getvalue() == "done\n"


def manage(*words: str, stdout: IO[str] | int = subprocess.PIPE) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", *words],
        env=os.environ | {"DATABASE_URL": "sqlite://:memory:"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        status, _, said = manage("crontab", stdout=full)
    line = "CommandError: crontab: standard output cannot be written: No space left on device\n"
    assert (status, said) == (1, line)


def test_a_reader_that_went_away_is_one_line() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    status, _, said = manage("crontab", stdout=writing)
    os.close(writing)
    assert (status, said) == (1, "CommandError: crontab: standard output cannot be written: Broken pipe\n")


WRONG = {
    "option": (["probe", "--frob"], "probe: unrecognized arguments: --frob"),
    "word": (["probe", "x"], "probe: unrecognized arguments: x"),
    "both": (["crontab", "--install", "--remove"], "argument --remove: not allowed with argument --install"),
    "none": (["import_sites"], "import_sites: the following arguments are required: file"),
}


@pytest.mark.parametrize(("words", "line"), WRONG.values(), ids=WRONG)
def test_wrong_words_are_one_line_and_status_1(words: list[str], line: str) -> None:
    status, _, said = manage(*words)
    assert line in said
    assert (status, said.count("\n"), said.startswith("CommandError: ")) == (1, 1, True)


def test_wrong_words_of_a_caller_are_an_exception() -> None:
    with pytest.raises(CommandError, match="required: file"):
        call_command("import_sites")


def test_help_is_whole() -> None:
    status, text, said = manage("probe", "--help")
    assert (status, said) == (0, "")
    assert text.startswith("usage: manage.py probe")
