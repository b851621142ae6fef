"""``manage.py create_token USER --scope read``: makes an API token; the last word printed is its secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser
from django.utils import timezone

from accounts import tokens
from accounts.errors import AccountError
from accounts.models import ApiToken
from djamon.lib.commands import OneLineCommand


class Command(OneLineCommand):
    help = "Make an API token for a user; the last word printed is the token, shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help=f"what it opens: {', '.join(ApiToken.Scope.values)}; may be given several times",
        )
        parser.add_argument("--name", default="command line", help="where it is used")
        parser.add_argument("--days", type=int, help="how long it works; without it, until it is revoked")

    def run(self, **options: Any) -> None:
        user = _active_user(options["user"])
        expires = _expires(options["days"])
        token, secret = tokens.create(user, options["name"], options["scope"], expires=expires)
        self.say(f"Token for {user} ({', '.join(token.scopes)}), shown this once: {secret}")


def _active_user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise AccountError(f"there is no user {name!r}")
    if not user.is_active:
        raise AccountError(f"{name} is not active, so a token of theirs would not work")
    return user


def _expires(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= tokens.MAX_DAYS:
        raise AccountError(f"--days: {days} is not between 1 and {tokens.MAX_DAYS}")
    return timezone.now() + timedelta(days=days)
