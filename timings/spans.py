"""What a range of calls is made of: spans that are added up already, and at its ends single calls.

Ends are moved to whole minutes, hours or days where the range is long, or so old that nothing finer is kept.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from timings.models import DAY, HOUR, MINUTE

SECOND = 1  # of calls there are no sums
FINEST_FIRST = (SECOND, MINUTE, HOUR, DAY)
# The longest range whose ends are told to this grain: they are wrong by half of one in thousands at most.
LONGEST_S = {SECOND: 2 * HOUR, MINUTE: 31 * DAY, HOUR: 3 * 366 * DAY}


class Piece(NamedTuple):
    """From ``start`` up to and without ``end``, in whole spans of the ``level``."""

    level: int
    start: int
    end: int


class Spans(NamedTuple):
    """A range from ``start`` up to and without ``end``, and the one of the same length ``before`` it."""

    before: int
    start: int
    end: int


Kept = Mapping[int, int]  # grain → since when there is something of it; days are kept for ever


def finest(moment: int, kept: Kept) -> int:
    """The finest grain of which there is something from this moment on."""
    return next((grain for grain in FINEST_FIRST if moment >= kept.get(grain, moment)), DAY)


def told(start: int, end: int, now: int, kept: Kept, *, least: int = SECOND) -> Spans:
    """A range (``end`` included) as it can be told, no finer than ``least``.

    Both ends are told whole; the range before is as long as what has passed of this one by ``now``.
    """
    after = end + 1
    length = after - start
    by_length = next((grain for grain, longest in LONGEST_S.items() if length <= longest), DAY)

    def grain_at(moment: int) -> int:
        return max(least, by_length, finest(moment, kept))

    begun = _down(start, grain_at(start))
    ended = max(begun, -_down(-after, grain_at(after - DAY)))
    before = begun - (min(ended, max(now + 1, after)) - begun)
    grain = grain_at(before)
    return Spans(min(begun, _down(before + grain // 2, grain)), begun, ended)


def _down(moment: int, grain: int) -> int:
    return moment - moment % grain


def pieces(start: int, end: int, levels: Sequence[int] = (DAY, HOUR, MINUTE, SECOND)) -> Iterator[Piece]:
    """The range in as long spans as fit; its ends are multiples of the last of the levels."""
    if start >= end:
        return
    level, *finer = levels
    first, last = -_down(-start, level), _down(end, level)
    if first < last:
        yield from pieces(start, first, finer)
        yield Piece(level, first, last)
        yield from pieces(last, end, finer)
    else:
        yield from pieces(start, end, finer)


def change(now: float | None, before: float | None) -> float | None:
    """By how many per cent a figure has grown; None where there is nothing to compare."""
    if now is None or not before:
        return None
    return (now / before - 1) * 100
