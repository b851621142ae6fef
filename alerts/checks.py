"""System checks of the alert settings: each mistake with its variable's name before it costs an alert."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email

from alerts.channels.twitter import KEYS

NO_HOST = re.compile(r"[\s/@,;]")  # in no name or address of a machine


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


@register
def receivers(**_kwargs: Any) -> list[CheckMessage]:
    """alerts.E007 where TWITTER is on without an address to post to, E008 where mail has no server."""
    found: list[CheckMessage] = []
    if settings.TWITTER and not settings.TWITTER_API_URL:
        found.append(
            Error(
                "TWITTER_API_URL is empty, but TWITTER is on: there is nowhere to post.",
                hint="Take the line out for https://api.x.com, or set TWITTER=False.",
                id="alerts.E007",
            )
        )
    if settings.TO_EMAIL and (not settings.EMAIL_HOST or NO_HOST.search(settings.EMAIL_HOST)):
        found.append(
            Error(
                f"EMAIL_HOST: {settings.EMAIL_HOST!r} names no mail server, but TO_EMAIL is set.",
                hint="Write EMAIL_HOST as mail.example.org, its port into EMAIL_PORT.",
                id="alerts.E008",
            )
        )
    return found


def _is_address(text: str) -> bool:
    try:
        validate_email(parseaddr(sanitize_address(text, "utf-8"))[1])
    except (ValueError, ValidationError):
        return False
    return True
