"""The built-in scheduler in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from djamon.lib.commands import OneLineCommand
from djamon.lib.signals import Signals
from jobs import calendar
from jobs.periodic import periodic_jobs
from jobs.scheduler import Scheduler, run_forever


class Command(OneLineCommand):
    help = "Start periodic jobs by their calendar, until SIGTERM or Ctrl-C."

    def run(self, **_options: Any) -> None:
        table = periodic_jobs()
        for expression in (when for job in table for when in job.calendar):
            calendar.parse(expression)
        with Signals() as signals:
            run_forever(Scheduler(table, ZoneInfo(settings.TIME_ZONE)), signals)
