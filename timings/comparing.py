"""What the calls of a range add up to, beside those of the range before it: for the API and the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from timings import queries, spans
from timings.asked import Span
from timings.store import Sums

COMPARED = ("count", "mean", "p50", "p95", "p99", "max")


class Figures(msgspec.Struct, frozen=True):
    """Of a range; times in seconds, None where there was no call."""

    start_time: int
    end_time: int  # included
    count: int = 0
    per_second: float = 0.0
    min: float | None = None
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Compared(msgspec.Struct, frozen=True):
    """``changes`` are in per cent of the figure before, None where there is nothing to compare."""

    now: Figures
    before: Figures
    changes: dict[str, float | None]

    def as_json(self) -> dict[str, Any]:
        now: dict[str, Any] = msgspec.structs.asdict(self.now)
        return {**now, "before": self.before, "changes": self.changes}


def compared(series: Sequence[int], shown: Span, now: int) -> Compared:
    """Three queries at most, however long the range is."""
    least = queries.grain_of(series, shown.start, shown.end, now)
    told = spans.told(shown.start, shown.end, now, queries.kept_since(now), least=least)
    sums = queries.added_up(series, {"now": (told.start, told.end), "before": (told.before, told.start)})
    # Of a span that has not ended, its calls up to now are told.
    last = max(min(told.end - 1, max(shown.end, now)), told.start - 1)
    this = _figures(told.start, last, sums.get("now"), now)
    before = _figures(told.before, told.start - 1, sums.get("before"), now)
    changes = {name: spans.change(getattr(this, name), getattr(before, name)) for name in COMPARED}
    return Compared(this, before, changes)


def _figures(start: int, end: int, sums: Sums | None, now: int) -> Figures:
    if sums is None:
        return Figures(start, end)
    passed_s = max(1, min(end, now) + 1 - start)
    p50, p95, p99 = queries.within(sums)
    return Figures(
        start,
        end,
        sums.calls,
        sums.calls / passed_s,
        sums.least,
        sums.total / sums.calls,
        p50,
        p95,
        p99,
        sums.most,
    )
