"""What a caller asks of the API: moments, limits and cursors; Refused says which is wrong. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from math import ceil, floor

from djamon.lib.buckets import Choice, is_date, parse_moment
from timings.queries import Place

RANGES = {
    "15m": ("last 15 minutes", timedelta(minutes=15)),
    "1h": ("last hour", timedelta(hours=1)),
    "6h": ("last 6 hours", timedelta(hours=6)),
    "24h": ("last day", timedelta(hours=24)),
    "7d": ("last week", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
    "90d": ("last 90 days", timedelta(days=90)),
    "1y": ("last year", timedelta(days=365)),
}
CHOICE = Choice(RANGES, "1h", timedelta(days=3660))

DEFAULT_LIMIT, MOST_CALLS = 1000, 10_000
DEFAULT_FEW, MOST_FEW = 10, 100  # slowest or latest calls
DEFAULT_BUCKETS, MOST_BUCKETS = 300, 1000
LATEST_S = 253_402_300_799  # the end of the year 9999


class Refused(Exception):  # noqa: N818  (says what is)
    """Why a request cannot be answered, in one sentence, and the parameter that is to blame."""

    def __init__(self, error: str, field: str) -> None:
        super().__init__(error)
        self.error = error
        self.field = field


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to ``end``, both included, in whole seconds since 1970."""

    start: int
    end: int


def span(query: Mapping[str, str], zone: tzinfo, now_s: int) -> Span:
    """``start_time`` and ``end_time``: ISO 8601, a date (to its end), or seconds since 1970; without, all.

    Or ``range``, a name of RANGES: so long, up to now.
    """
    if name := query.get("range", "").strip():
        return _named(name, query, now_s)
    start, end = 0, LATEST_S
    if word := query.get("start_time", "").strip():
        moment = parse_moment(word, zone)
        if moment is None:
            raise _no_moment(word, "start_time")
        start = ceil(moment.timestamp())
    if word := query.get("end_time", "").strip():
        moment = parse_moment(word, zone, ends_day=True)
        if moment is None:
            raise _no_moment(word, "end_time")
        # A date's end is the first moment of the next day, which is not included.
        end = ceil(moment.timestamp()) - 1 if is_date(word) else floor(moment.timestamp())
    return Span(start, end)


def _named(name: str, query: Mapping[str, str], now_s: int) -> Span:
    if query.get("start_time", "").strip() or query.get("end_time", "").strip():
        raise Refused("Give either range, or start_time and end_time.", "range")
    if name not in RANGES:
        raise Refused(f"There is no range “{name[:40]}”; there are {', '.join(RANGES)}.", "range")
    return Span(now_s + 1 - int(RANGES[name][1].total_seconds()), now_s)


def _no_moment(word: str, field: str) -> Refused:
    return Refused(f"“{word[:40]}” is no moment: 1780000000, 2026-03-01T09:00 or 2026-03-01 is one.", field)


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    word = query.get(name, "").strip()
    if not word:
        return default
    found = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0
    if not 1 <= found <= most:
        raise Refused(f"“{word[:40]}” is no whole number from 1 to {most}.", name)
    return found


def place(query: Mapping[str, str]) -> Place | None:
    """Where the last page ended, as :func:`cursor` wrote it."""
    word = query.get("cursor", "")
    if not word:
        return None
    try:
        ts, seq = map(int, urlsafe_b64decode(word + "==").decode("ascii").split("."))
        found = Place(ts, seq)
    except (ValueError, NotBase64) as error:
        raise _no_cursor() from error
    if not (abs(found.ts) <= LATEST_S and 0 <= found.seq < 1 << 62):
        raise _no_cursor()
    return found


def _no_cursor() -> Refused:
    return Refused("This is no cursor: take it from “next” of the page before.", "cursor")


def cursor(end: Place) -> str:
    return urlsafe_b64encode(f"{end.ts}.{end.seq}".encode()).decode().rstrip("=")


def shown(asked: Span, now_s: int) -> Span:
    """For buckets: without an end until now, without a beginning the day before that."""
    end = now_s if asked.end == LATEST_S else asked.end
    return Span(asked.start or end - 86_400, end)
