"""The first user of an installation."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.errors import AccountError

# Without characters that look alike; 16 of these 31 are 79 random bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4


def create_first_user(name: str) -> str | None:
    """Create a superuser and return the password; None, and nothing done, where there is any user.

    Raises AccountError for a name that cannot be one.
    """
    _check_name(name)
    with transaction.atomic():
        if User.objects.exists():
            return None
        password = random_password()
        User.objects.create_superuser(name, password=password)
    return password


def random_password() -> str:
    """``xxxx-xxxx-xxxx-xxxx``: easy to read from a terminal and to type."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def _check_name(name: str) -> None:
    try:
        User(username=name).clean_fields(exclude=["password"])
    except ValidationError as error:
        raise AccountError(f"{name!r} cannot be a user name: {' '.join(error.messages)}") from error
