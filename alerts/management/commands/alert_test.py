"""Send one test message to everybody who is configured to be told, past the outbox, and say each answer."""

from typing import Any

from alerts.rehearsal import rehearse
from djamon.lib.commands import DjamonError, OneLineCommand


class Command(OneLineCommand):
    help = "Sends one test message through every configured channel and says what each answered."

    def run(self, **_options: Any) -> None:
        failed = tried = 0
        for line, ok in rehearse():
            self.say(line)
            tried += 1
            failed += not ok
        if not tried:
            raise DjamonError("nobody is configured to be told: set TO_EMAIL or TWITTER")
        if failed:
            raise DjamonError(f"{failed} of {tried} test messages were not sent")
