"""How long calls take and how many they are, for the templates of timings."""

from __future__ import annotations

from django import template

from timings.words import took

register = template.Library()
register.filter(took)


@register.filter
def amount(value: int) -> str:
    """``1,234,567``"""
    return f"{value:,}"
