"""Time ranges and the buckets they are cut into: the one parser of ranges for all pages and JSON.

A query says ``range=24h`` (a name of RANGES), or ``from`` and ``to``: ISO 8601, a date, or
seconds since 1970. What bears no zone is in the zone that the caller gives; what ends later than now ends
now. Pure: ``now`` is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

RANGES = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last day", timedelta(hours=24)),
    "7d": ("last week", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
    "90d": ("last 90 days", timedelta(days=90)),
}
DEFAULT_RANGE = "24h"
LONGEST = timedelta(days=90)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LONGEST_WORD = 40
SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
# 2026-11-20, 20261120, 2026-W47-5, 2026W475. Eight digits that may be a day are no seconds of 1970.
DATE = re.compile(r"[0-9]{4}(-?)((0[1-9]|1[0-2])\1(0[1-9]|[12][0-9]|3[01])|W[0-9]{2}\1[1-7])")
# A year, or a week: it has a beginning and an end, and does not say which is meant.
NO_MOMENT = re.compile(r"[0-9]{4}(-?W[0-9]{2})?")
# In a query an unescaped plus arrives as a space: 2026-03-01T09:00:00 01:00.
LOST_PLUS = re.compile(r"(.*T[0-9:.]+) ([0-9]{2}:?[0-9]{2})")

SIZES_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The ranges that a page offers by name, the one it shows unasked, and the longest that it shows."""

    names: Mapping[str, tuple[str, timedelta]]
    default: str
    longest: timedelta


USUAL = Choice(RANGES, DEFAULT_RANGE, LONGEST)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``start`` up to and without ``end``, both in UTC; ``name`` is a key of its choice, or empty."""

    start: datetime
    end: datetime
    name: str = ""

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class RangeRefused:
    """Why a range cannot be shown, in one sentence, and the parameter that is to blame."""

    error: str
    field: str


def named_range(name: str, now: datetime, choice: Choice = USUAL) -> TimeRange:
    """A range of the choice, up to ``now``; raises KeyError for any other name."""
    end = now.astimezone(UTC)
    return TimeRange(end - choice.names[name][1], end, name)


def asks_for_range(query: Mapping[str, str]) -> bool:
    """Whether a query names any range, be it one that can be shown or not."""
    return any(query.get(key, "").strip() for key in ("range", "from", "to"))


def parse_range(
    query: Mapping[str, str], now: datetime, zone: tzinfo, choice: Choice = USUAL
) -> TimeRange | RangeRefused:
    """The range that a query asks for; without any the default one. An empty parameter counts as none."""
    name, start, end = (query.get(key, "").strip() for key in ("range", "from", "to"))
    if name and (start or end):
        return RangeRefused("Give either range, or from and to.", "range")
    if start or end:
        return _between(start, end, now.astimezone(UTC), zone, choice.longest)
    if name and name not in choice.names:
        there_are = ", ".join(choice.names)
        return RangeRefused(f"There is no range {_quoted(name)}; there are {there_are}.", "range")
    return named_range(name or choice.default, now, choice)


def _between(
    start_word: str, end_word: str, now: datetime, zone: tzinfo, longest: timedelta
) -> TimeRange | RangeRefused:
    if not start_word:
        return RangeRefused("Say where the range begins, too.", "from")
    start = parse_moment(start_word, zone)
    end = parse_moment(end_word, zone, ends_day=True) if end_word else now
    if start is None or end is None:
        field, word = ("from", start_word) if start is None else ("to", end_word)
        return RangeRefused(f"{_quoted(word)} is no moment: 2026-03-01T09:00, or 2026-03-01, is one.", field)
    return _checked(start, end, now, longest)


def _checked(start: datetime, end: datetime, now: datetime, longest: timedelta) -> TimeRange | RangeRefused:
    """Nothing is known of the future: a range that reaches into it is cut off, not refused."""
    if start < EPOCH or end < EPOCH:
        return RangeRefused("Nothing is older than 1970.", "from" if start < EPOCH else "to")
    if start >= now:
        return RangeRefused("The range begins in the future.", "from")
    if end <= start:
        return RangeRefused("The range ends before it begins.", "to")
    end = min(end, now)
    if end - start > longest:
        return RangeRefused(f"The range is longer than {longest.days} days.", "from")
    return TimeRange(start, end)


def is_date(word: str) -> bool:
    """Whether a word says a whole day, be there such a day or not."""
    return DATE.fullmatch(word) is not None


def parse_moment(word: str, zone: tzinfo, *, ends_day: bool = False) -> datetime | None:
    """What a word says, in UTC; a date is its first moment, with ``ends_day`` the first after it.

    None: rubbish. Whole numbers are seconds since 1970, except for years (four digits) and dates (eight).
    """
    if len(word) > LONGEST_WORD or not word.isascii() or NO_MOMENT.fullmatch(word):
        return None
    if lost := LOST_PLUS.fullmatch(word):
        word = "+".join(lost.groups())
    try:
        if SECONDS.fullmatch(word) and not is_date(word):
            return datetime.fromtimestamp(float(word), UTC)
        found = datetime.fromisoformat(word)
        if ends_day and is_date(word):
            if found.date() == date.max:
                return datetime.max.replace(tzinfo=UTC)  # there is no next day
            found += timedelta(days=1)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _quoted(word: str) -> str:
    return f"“{word[:LONGEST_WORD]}”"


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal pieces of time: ``size_s`` seconds each, counted from 1970 moved by ``shift_s``.

    With the offset of a zone as shift, days and half days begin at that zone's midnight.
    """

    size_s: int
    shift_s: int = 0

    def start_of(self, moment: datetime) -> datetime:
        """The beginning of the bucket that ``moment`` lies in."""
        return self.start_of_number(self.number_of(moment))

    def number_of(self, moment: datetime) -> int:
        return (int((moment - EPOCH).total_seconds() // 1) + self.shift_s) // self.size_s

    def start_of_number(self, number: int) -> datetime:
        return EPOCH + timedelta(seconds=number * self.size_s - self.shift_s)


def buckets_for(shown: TimeRange, zone: tzinfo, most: int) -> Buckets:
    """The smallest of SIZES_S that cuts the range into fewer than ``most`` buckets, aligned to ``zone``.

    Fewer, as a range that begins inside a bucket touches one more.
    """
    size = next((size for size in SIZES_S if shown.seconds / size <= most - 1), SIZES_S[-1])
    offset = shown.start.astimezone(zone).utcoffset() or timedelta(0)
    return Buckets(size, int(offset.total_seconds()))
