"""Sums the views of the hours that are over: what cron and the scheduler start each hour."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job
from monitor import rollups


class Command(OneLineCommand):
    help = "Sum the views of each site by hour and by day; uptime and charts read the sums."

    def run(self, **_options: Any) -> None:
        try:
            run = run_job(rollups.JOB, lambda context: rollups.roll_up(context, timezone.now()))
        except AlreadyRunning as busy:
            self.say(f"roll_up: {busy}")
            return
        self.say(f"roll_up: {run.message}")
