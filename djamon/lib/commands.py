"""The frame of every management command: exit status 1 and one clear line where something expected fails."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import DatabaseError, InterfaceError, OperationalError

# What SQLite and PostgreSQL say where the tables are those of another version, or none.
NOT_MIGRATED = re.compile(r"no such (table|column)|(relation|column) .* does not exist")


class DjamonError(Exception):
    """Base of every failure that an operator can understand from its one line."""


class OutputLost(DjamonError):  # noqa: N818  (says what is)
    """Nobody takes what a command has to say: a full disk, or a reader that went away."""


def database_fault(error: Exception) -> str:
    """One line about a database that is locked, gone, read-only or not migrated."""
    words = " ".join(str(error).split()) or type(error).__name__
    hint = "; run `make run`, or manage.py migrate, first" if NOT_MIGRATED.search(words) else ""
    return f"database: {words}{hint}"


class Output(OutputWrapper):
    """Standard output whose faults are told from every other."""

    _out: TextIO

    def write(  # type: ignore[override]  # as Django has it
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        try:
            super().write(msg, style_func, ending)
        except OSError as error:
            raise self.lost(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise self.lost(error) from error

    def lost(self, error: OSError) -> OutputLost:
        """The failure to raise; the interpreter's own flush at its end then finds a stream that takes all."""
        if self._out is sys.stdout:
            with suppress(OSError, ValueError):  # a stream without a file
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutputLost(f"standard output cannot be written: {error.strerror or error}")


class OneLineCommand(BaseCommand):
    """Subclasses write ``run()``; expected failures end with one line on stderr and exit status 1."""

    requires_system_checks: list[str] = []  # cron pays for each import

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.called_from_command_line = False  # no usage, no status 2: wrong words raise CommandError
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # of reading the words: Django itself takes all that come later
            if "--traceback" in argv:
                raise
            words = " ".join(str(error).removeprefix("Error: ").split())
            self.stderr.write(f"CommandError: {self.name}: {words}; see manage.py {self.name} --help")
            sys.exit(1)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout = Output(cast("TextIO", self.stdout._out))
        try:
            self.run(**options)
            self.stdout.flush()
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
