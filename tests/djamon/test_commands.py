from __future__ import annotations

from io import StringIO

import pytest
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
