"""System checks of the alert settings: each mistake with its variable's name before it costs an alert."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email

from alerts.channels.twitter import KEYS


@register
def twitter_keys(**_kwargs: Any) -> list[CheckMessage]:
    """alerts.E001 to E004, one for each key of X that TWITTER=True needs."""
    if not settings.TWITTER:
        return []
    return [
        Error(
            f"TWITTER is on, but {name} is not set: no post could be signed.",
            hint=f"Set {name} to the value from X's developer portal, or TWITTER=False.",
            id=f"alerts.E{number:03}",
        )
        for number, name in enumerate(KEYS, start=1)
        if not getattr(settings, name)
    ]


@register
def mail_addresses(**_kwargs: Any) -> list[CheckMessage]:
    """alerts.E005 for each address of TO_EMAIL, E006 for FROM_EMAIL, where it is none."""
    wanted = [("TO_EMAIL", address, "alerts.E005") for address in settings.TO_EMAIL]
    wanted.append(("FROM_EMAIL", settings.FROM_EMAIL, "alerts.E006"))
    return [
        Error(
            f"{name}: {address!r} is not an e-mail address.",
            hint=f"Write {name} as name@example.org"
            + (", several separated by commas." if name == "TO_EMAIL" else "."),
            id=number,
        )
        for name, address, number in wanted
        if not _is_address(address)
    ]


def _is_address(text: str) -> bool:
    try:
        validate_email(parseaddr(sanitize_address(text, "utf-8"))[1])
    except (ValueError, ValidationError):
        return False
    return True
