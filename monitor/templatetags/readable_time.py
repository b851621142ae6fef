"""``{{ 3661|readable_time }}`` → ``1 hour, 1 minute, 1 second``."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from django import template
from django.utils.functional import Promise

from djamon.lib.durations import in_words

register = template.Library()


@register.filter(is_safe=True)
def readable_time(value: object) -> object:
    """Seconds in words; what is no number (text of digits is one) or is negative comes back unchanged."""
    seconds = _seconds(value)
    if seconds is None or seconds < 0:
        return value
    try:
        return in_words(seconds)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return value


def _seconds(value: object) -> float | None:
    """The number that ``value`` is; None for booleans, NaN, infinity and words. A fraction may be cut off."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str | Promise):
        return _from_text(str(value))
    if isinstance(value, Decimal) and value.is_snan():
        return None  # Python refuses to look at it any closer
    if isinstance(value, float | Decimal):
        return value if math.isfinite(value) else None  # type: ignore[return-value]
    return value if isinstance(value, int) else None


def _from_text(text: str) -> int | None:
    try:
        return int(text) if re.fullmatch(r"\s*\d+\s*", text, re.ASCII) else None
    except ValueError:
        return None
