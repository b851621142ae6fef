"""Deletes old samples of timings: what cron and the scheduler start each night."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job
from timings import retention


class Command(OneLineCommand):
    help = "Delete calls and short sums that are older than the settings keep; sums of days stay."

    def run(self, **_options: Any) -> None:
        try:
            run = run_job(retention.JOB, lambda context: retention.purge(context, timezone.now()))
        except AlreadyRunning as busy:
            self.say(f"purge_timings: {busy}")
            return
        self.say(f"purge_timings: {run.message}")
