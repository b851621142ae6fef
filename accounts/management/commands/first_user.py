"""``manage.py first_user``: an installation without users gets its first; prints the password once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.people import create_first_user
from djamon.lib.commands import OneLineCommand


class Command(OneLineCommand):
    help = "Where there is no user yet, create one who may do everything and print the password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin")

    def run(self, **options: Any) -> None:
        name = options["username"]
        password = create_first_user(name)
        if password is None:
            return  # there are users already; every start asks, and nothing is to be said
        self.say("")
        self.say("  The first user is created. The password is shown this once:")
        self.say(f"    user      {name}")
        self.say(f"    password  {password}")
        self.say("")
