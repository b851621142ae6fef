"""What groups may be called beside each other: names that differ in upper and lower case alone are refused.

The database allows them, and what is stored already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable


def spelled_otherwise(name: str, others: Iterable[str]) -> str | None:
    """The first of ``others`` that differs from ``name`` in upper and lower case alone."""
    folded = name.casefold()
    return next((other for other in others if other != name and other.casefold() == folded), None)
