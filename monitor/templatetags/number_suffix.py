"""``{{ 3|ordinal }}`` → ``3rd``."""

from __future__ import annotations

import re

from django import template
from django.utils.functional import Promise

register = template.Library()

SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


@register.filter(is_safe=True)
def ordinal(value: object) -> object:
    """``1`` → ``1st``, ``"111"`` → ``111th``.

    None, floats, negatives, booleans and words come back unchanged.
    """
    try:
        number = _number(value)
        return value if number is None or number < 0 else f"{number}{_suffix(number)}"
    except ValueError:  # Python reads and writes no integer of more than 4300 digits
        return value


def _number(value: object) -> int | None:
    if isinstance(value, str | Promise):
        text = str(value)
        return int(text) if re.fullmatch(r"\s*\d+\s*", text, re.ASCII) else None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _suffix(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return SUFFIXES.get(number % 10, "th")
