"""Writes all groups and sites as CSV that import_sites takes again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from djamon.lib.commands import DjamonError, OneLineCommand
from monitor import csvfiles
from monitor.models import Site

CHUNK = 2000


class Command(OneLineCommand):
    help = "Write all sites with their groups as CSV, to a file or to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", default="-", help="where to; - (or nothing) is standard output"
        )

    def run(self, **options: Any) -> None:
        sites = Site.objects.select_related("group").order_by("group__name", "name", "pk")
        rows = sites.iterator(chunk_size=CHUNK)
        if options["file"] == "-":
            csvfiles.write(rows, self.stdout)
            return
        try:
            with Path(options["file"]).open("w", encoding="utf-8", newline="") as out:
                count = csvfiles.write(rows, out)
        except OSError as error:
            raise DjamonError(f"{options['file']}: {error.strerror}") from error
        self.say(f"{self.name}: {count} {'site' if count == 1 else 'sites'} written to {options['file']}")
