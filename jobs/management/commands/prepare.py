"""Makes an installation ready to start: tables, static files, first user. Run again, it changes nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command

from djamon.lib.commands import OneLineCommand
from jobs.preflight import refuse_mistakes


class Command(OneLineCommand):
    help = "Create or update the tables, collect the static files, create the first user where there is none."

    def run(self, **_options: Any) -> None:
        refuse_mistakes(self.name)
        settings.VAR_DIR.mkdir(exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("first_user")
