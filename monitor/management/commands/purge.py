"""Deletes old results that are summed: what cron and the scheduler start each night."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job
from monitor import retention


class Command(OneLineCommand):
    help = "Delete results that are older than VIEWS_KEEP_DAYS and rolled up; their sums stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-days", metavar="N", help="keep the results of so many days, at least 1")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, delete nothing")

    def run(self, *, keep_days: str | None, dry_run: bool, **_options: Any) -> None:
        days = settings.VIEWS_KEEP_DAYS if keep_days is None else retention.days_from(str(keep_days))
        if dry_run:
            self.say(f"purge: {retention.rehearse(timezone.now(), days)}")
            return
        arguments = {} if keep_days is None else {"keep_days": days}
        try:
            run = run_job(
                retention.JOB,
                lambda context: retention.purge(context, timezone.now(), days),
                arguments=arguments,
            )
        except AlreadyRunning as busy:
            self.say(f"purge: {busy}")
            return
        self.say(f"purge: {run.message}")
