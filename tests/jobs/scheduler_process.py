"""A scheduler as a process of its own; its table is given as JSON {name: [cron expression, Python code]}."""

from __future__ import annotations

import json
import sys
from zoneinfo import ZoneInfo

import django

django.setup()

from djamon.lib.signals import Signals  # noqa: E402
from jobs.periodic import PeriodicJob  # noqa: E402
from jobs.scheduler import Scheduler, run_forever  # noqa: E402


def main() -> None:
    given = json.loads(sys.argv[1])
    table = tuple(PeriodicJob(name, name, (when,), (code,)) for name, (when, code) in given.items())
    with Signals() as signals:
        scheduler = Scheduler(table, ZoneInfo("UTC"), lambda job: [sys.executable, "-c", *job.command])
        run_forever(scheduler, signals)


main()
