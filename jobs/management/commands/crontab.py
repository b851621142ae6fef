"""Prints the crontab lines of this checkout, puts them into the user's crontab, or takes them out."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from djamon.lib.commands import DjamonError, OneLineCommand
from jobs import crontab
from jobs.periodic import periodic_jobs


class Command(OneLineCommand):
    help = "Print the crontab lines for this checkout; --install or --remove them in the user's crontab."

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--install", action="store_true", help="put the lines into the user's crontab")
        choice.add_argument("--remove", action="store_true", help="take them out again")

    def run(self, **options: Any) -> None:
        own = crontab.block(periodic_jobs(), root=settings.BASE_DIR, python=sys.executable)
        if options["install"]:
            write_crontab(crontab.with_block(read_crontab(), own, settings.BASE_DIR))
            settings.VAR_DIR.mkdir(mode=0o700, exist_ok=True)
            self.say("crontab: installed; cron's own time zone applies, and SCHEDULER=False in .env keeps")
            self.say("the built-in scheduler from doing the same work twice")
            self.say_what_cron_does_not_see()
        elif options["remove"]:
            write_crontab(crontab.without_block(read_crontab(), settings.BASE_DIR))
            self.say("crontab: removed")
        else:
            self.stdout.write(own, ending="")

    def say_what_cron_does_not_see(self) -> None:
        names = sorted(settings.ENVIRONMENT.set_by_process)
        if names:
            self.say(
                f"crontab: set in this shell, unseen by cron unless they stand in .env: {', '.join(names)}"
            )


def read_crontab() -> str:
    """The user's crontab; one that does not exist yet is empty."""
    listing = _crontab("-l")
    if listing.returncode and "no crontab" not in listing.stderr:
        raise DjamonError(f"crontab -l failed: {listing.stderr.strip()}")
    return "" if listing.returncode else listing.stdout


def write_crontab(text: str) -> None:
    done = _crontab("-", text)
    if done.returncode:
        raise DjamonError(f"crontab refused the lines: {done.stderr.strip()}")


def _crontab(argument: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["crontab", argument], input=text, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise DjamonError("there is no crontab command on this machine; install cron") from None
