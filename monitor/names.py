"""Names beside each other: their order, and that groups differ in more than upper and lower case.

The database allows those that do not, and what is stored already stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

Natural = tuple[str | int, ...]
DIGITS = re.compile(r"([0-9]{1,18})")


def spelled_otherwise(name: str, others: Iterable[str]) -> str | None:
    """The first of ``others`` that differs from ``name`` in upper and lower case alone."""
    folded = name.casefold()
    return next((other for other in others if other != name and other.casefold() == folded), None)


@lru_cache(maxsize=32_768)
def natural(name: str) -> Natural:
    """What names are ordered by: *Shop 2* stands before *Shop 10*. Words and numbers take turns in it."""
    parts = DIGITS.split(name.casefold())
    return tuple(int(part) if odd % 2 else part for odd, part in enumerate(parts))
