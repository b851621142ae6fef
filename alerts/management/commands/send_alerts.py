"""Send what waits in the outbox; a refusal is no failure of this command, it is tried again."""

from typing import Any

from alerts.sending import send_due
from djamon.lib.commands import OneLineCommand
from jobs.errors import AlreadyRunning
from jobs.runner import run_job


class Command(OneLineCommand):
    help = "Sends the alerts that are due, and says what became of them on one line."

    def run(self, **_options: Any) -> None:
        try:
            run = run_job("send_alerts", lambda _context: send_due().line)
        except AlreadyRunning as running:
            self.say(f"send_alerts: {running}")
            return
        self.say(f"send_alerts: {run.message}")
