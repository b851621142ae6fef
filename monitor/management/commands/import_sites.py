"""Adds groups and sites from a CSV file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from djamon.lib.commands import DjamonError, OneLineCommand
from monitor.csvfiles import MAX_BYTES, decode, parse
from monitor.importing import import_sites


class Command(OneLineCommand):
    help = (
        "Add groups and sites from a CSV file with the columns group,name,url (and more: see export_sites)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a CSV file in UTF-8; - reads standard input")
        parser.add_argument(
            "--skip-bad", action="store_true", help="leave refused rows out and write the others"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")

    def run(self, **options: Any) -> None:
        skip_bad, dry_run = bool(options["skip_bad"]), bool(options["dry_run"])
        plan = import_sites(parse(decode(_read(options["file"]))), skip_bad=skip_bad, dry_run=dry_run)
        for refusal in plan.refusals:
            self.stderr.write(str(refusal))
        if plan.refusals and not skip_bad:
            raise DjamonError(
                f"nothing was written: {len(plan.refusals)} refused; --skip-bad leaves them out"
            )
        self.say(f"{self.name}: {'dry run, nothing was written: ' if dry_run else ''}{plan}")


def _read(name: str) -> bytes:
    """At most one byte more than is allowed; a directory or a missing file is one line."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DjamonError(f"{name}: {error.strerror}") from error
