"""Moments on pages: in words, in the zone of the pages, in an element that says the same to programs."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from djamon.lib.durations import roughly


def moment(value: datetime | None) -> str | SafeString:
    """``2026-03-01 14:05:00 UTC`` in a ``time`` element, in the zone of the pages; nothing for None."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    text = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


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
