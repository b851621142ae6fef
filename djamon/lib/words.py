"""Small words of all pages, for templates: moments, counts, shares. The settings load it as ``words``."""

from __future__ import annotations

from django import template

from djamon.lib.moments import ago, moment
from djamon.lib.visible import visible

register = template.Library()


register.filter(moment)
register.filter(ago)
register.filter(visible)


@register.filter
def milliseconds(value: float | None) -> str:
    """``0.42 ms``, ``12 ms``, ``1,234 ms``; a dash where nothing was measured."""
    if value is None:
        return "–"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"


@register.filter
def count(value: int) -> str:
    """``10,000``."""
    return f"{value:,}"


@register.filter
def percent(value: float | None) -> str:
    """``99.95 %``; a dash without a figure. Never rounded up to a hundred that it is not."""
    if value is None:
        return "–"
    return "100 %" if value == 100 else f"{min(value, 99.99):.2f} %"
