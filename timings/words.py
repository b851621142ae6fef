"""How long calls take, and how figures have changed, in words: for pages. Pure."""

from __future__ import annotations

from djamon.lib.durations import roughly

SAME = 0.5  # per cent: less is told as no change
MUCH = 1000  # per cent: beyond, it is told how many times as much


def took(seconds: float | None) -> str:
    """``85 µs``, ``0.42 ms``, ``12 ms``, ``1,234 ms``, ``12.3 s``, ``1,234 s``; a dash for None."""
    if seconds is None:
        return "–"
    if seconds >= 10:
        return f"{seconds:,.1f} s" if seconds < 100 else f"{seconds:,.0f} s"
    ms = seconds * 1000
    if ms >= 10:
        return f"{ms:,.0f} ms"
    if ms >= 0.1 or not ms:
        return f"{ms:.2g} ms"
    return f"{ms * 1000:.2g} µs"


def rate(per_second: float) -> str:
    """``12 a second``, ``3.5 a minute``, ``2 a day``: the unit in which there is at least one."""
    for unit, seconds in (("second", 1), ("minute", 60), ("hour", 3600)):
        if per_second * seconds >= 1:
            return f"{_plain(per_second * seconds)} a{'n' if unit == 'hour' else ''} {unit}"
    return f"{_plain(per_second * 86_400)} a day"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def change(per_cent: float | None, more: str, less: str) -> str:
    """``12 % slower``, ``8 % faster``, ``14 times as much``: as the words say."""
    if per_cent is None:
        return "nothing to compare with"
    if abs(per_cent) < SAME:
        return "as before"
    if per_cent >= MUCH:
        return f"{per_cent / 100 + 1:,.0f} times as much"
    return f"{abs(per_cent):.0f} % {more if per_cent > 0 else less}"


def sign(per_cent: float | None) -> str:
    """Which way a figure went: ``▲``, ``▼`` or ``=``; nothing for None."""
    if per_cent is None:
        return ""
    if abs(per_cent) < SAME:
        return "="
    return "▲" if per_cent > 0 else "▼"


def before(length_s: float) -> str:
    """The range of the same length before: ``The hour before``, ``The 6 hours before``."""
    return f"The {roughly(length_s).removeprefix('1 ')} before"
