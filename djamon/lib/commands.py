"""The frame of every management command: exit status 1 and one clear line where something expected fails."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, OperationalError


class DjamonError(Exception):
    """Base of every failure that an operator can understand from its one line."""


def database_fault(error: Exception) -> str:
    """One line about a database that is locked, gone or read-only."""
    words = " ".join(str(error).split()) or type(error).__name__
    return f"database: {words}"


class OneLineCommand(BaseCommand):
    """Subclasses write ``run()``; expected failures end with one line on stderr and exit status 1."""

    requires_system_checks: list[str] = []  # cron pays for each import

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except DjamonError as error:
            raise CommandError(f"{self.name}: {error}") from error
        except (OperationalError, InterfaceError, DatabaseError) as error:
            raise CommandError(f"{self.name}: {database_fault(error)}") from error

    def run(self, *_words: Any, **options: Any) -> None:
        raise NotImplementedError

    @property
    def name(self) -> str:
        return type(self).__module__.rsplit(".", 1)[-1]

    def say(self, line: str) -> None:
        self.stdout.write(line)

    @property
    def on_terminal(self) -> bool:
        return sys.stdout.isatty()
