"""Text from outside made fit for one line of a ledger: no control characters, no secrets, no end of it."""

from __future__ import annotations

import re

from django.conf import settings

from alerts.models import RESULT_LENGTH

SECRET_SETTINGS = ("EMAIL_HOST_PASSWORD", "CONSUMER_KEY", "CONSUMER_SECRET", "OAUTH_TOKEN", "OAUTH_SECRET")
SHORTEST_SECRET = 4  # hiding each "a" of a text would hide the text
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str, limit: int) -> str:
    """``text`` without line breaks and control characters, cut to ``limit`` characters."""
    line = " ".join(CONTROL.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def result_line(text: str) -> str:
    """What an attempt may show of ``text``: one line in which no configured secret stands."""
    for name in SECRET_SETTINGS:
        secret = str(getattr(settings, name, ""))
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "•••")
    return one_line(text, RESULT_LENGTH)
