"""Counts of execution times by size, which add up: percentiles of any span come from those of its parts.

Bins grow by 2 % (as in DDSketch, Masson and others, 2019): what falls into one is told as its middle, so a
percentile is within 1 % of the exact value at that rank, between LEAST_S and MOST_S; beyond, it is told as
that bound. In memory a histogram is one integer with BIN_BITS bits a bin, because Python adds two of these in
well under a microsecond; stored, it is the stretch of bins that is not empty, in as few bytes a count as do.

Pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, exp, log

GROWTH = 1.02
LEAST_S = 1e-7
MOST_S = 1e6
BIN_BITS = 40  # a bin counts up to 10^12 calls
BIN_BYTES = BIN_BITS // 8
_SCALE = 1 / log(GROWTH)
_SHIFT = -log(LEAST_S) * _SCALE + 1
LAST_BIN = int(log(MOST_S) * _SCALE + _SHIFT)
HEAD = 3  # bytes: the first bin (two) and the width of a count (one)


def bins_of(times_s: Sequence[float]) -> Counter[int]:
    """How many of the times fall into each bin; bin 0 is for what is not longer than LEAST_S."""
    scale, shift, last = _SCALE, _SHIFT, LAST_BIN
    logs = map(log, [time if time > LEAST_S else LEAST_S for time in times_s])
    counts = Counter([int(value * scale + shift) for value in logs])
    over = [number for number in counts if number > last]
    for number in over:
        counts[last] += counts.pop(number)
    return counts


def packed(counts: Counter[int]) -> int:
    """A histogram in memory."""
    return sum(count << number * BIN_BITS for number, count in counts.items())


def merged(histograms: Iterable[int]) -> int:
    return sum(histograms)


def stored(histogram: int) -> bytes:
    """What goes into the database; nothing for an empty histogram."""
    first, counts = _counts(histogram)
    if not counts:
        return b""
    width = (max(counts).bit_length() + 7) // 8
    body = b"".join(count.to_bytes(width, "little") for count in counts)
    return first.to_bytes(2, "little") + bytes([width]) + body


def loaded(data: bytes) -> int:
    """The histogram that :func:`stored` wrote."""
    if not data:
        return 0
    first, width = int.from_bytes(data[:2], "little"), data[2]
    body = data[HEAD:]
    if width != BIN_BYTES:
        wide = bytearray(len(body) // width * BIN_BYTES)
        for place in range(width):
            wide[place::BIN_BYTES] = body[place::width]
        body = bytes(wide)
    return int.from_bytes(body, "little") << first * BIN_BITS


def percentiles(histogram: int, shares: Sequence[float]) -> list[float | None]:
    """The times (seconds) below which these shares (0 to 1) of the calls lie; None where there are none."""
    first, counts = _counts(histogram)
    sums = list(accumulate(counts))
    if not sums:
        return [None] * len(shares)
    return [_middle(first + bisect_left(sums, max(1, ceil(share * sums[-1])))) for share in shares]


def _counts(histogram: int) -> tuple[int, list[int]]:
    """The first bin that is not empty, and the counts from there to the last that is not."""
    if not histogram:
        return 0, []
    first = ((histogram & -histogram).bit_length() - 1) // BIN_BITS
    histogram >>= first * BIN_BITS
    size = (histogram.bit_length() + BIN_BITS - 1) // BIN_BITS
    raw = histogram.to_bytes(size * BIN_BYTES, "little")
    wide = bytearray(size * 8)
    for place in range(BIN_BYTES):
        wide[place::8] = raw[place::BIN_BYTES]
    return first, array("Q", wide).tolist()


def _middle(number: int) -> float:
    """The time that is as far, in proportion, from both ends of the bin."""
    return exp((number - _SHIFT + 0.5) / _SCALE) if number else LEAST_S
