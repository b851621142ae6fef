"""Judges the limits of timings: what cron and the scheduler start each minute."""

from __future__ import annotations

from typing import Any

from alerts.sending import send_due
from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job
from timings import limit_check


class Command(OneLineCommand):
    help = "Judge the limits of timings by the last minutes, then send the alerts that fall due."

    def run(self, **_options: Any) -> None:
        try:
            run = run_job(limit_check.JOB, limit_check.check)
        except AlreadyRunning as busy:
            self.say(f"check_limits: {busy}")
            return
        self.say(f"check_limits: {run.message}; {send_due()}")
