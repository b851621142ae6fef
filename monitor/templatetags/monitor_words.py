"""Small words of the monitor's pages: moments, times of an answer, the name of a channel."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alerts.channels import label_of
from djamon.lib.durations import roughly

register = template.Library()


@register.filter
def moment(value: datetime | None) -> str | SafeString:
    """``2026-03-01 14:05:00 UTC`` in a ``time`` element, in the zone of the pages; nothing for None."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    text = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def ago(value: datetime | None, now: datetime) -> str | SafeString:
    """``2 minutes, 5 seconds ago`` in a ``time`` element whose title is the moment; ``never`` for None."""
    if value is None:
        return "never"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{} ago</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        roughly((now - value).total_seconds()),
    )


@register.filter
def milliseconds(value: float | None) -> str:
    """``0.42 ms``, ``12 ms``, ``1,234 ms``; a dash where nothing was measured."""
    if value is None:
        return "–"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"


@register.filter
def percent(value: float | None) -> str:
    """``99.95 %``; a dash without a figure. Never rounded up to a hundred that it is not."""
    if value is None:
        return "–"
    return "100 %" if value == 100 else f"{min(value, 99.99):.2f} %"


@register.filter
def channel_label(name: str) -> str:
    return label_of(name)
