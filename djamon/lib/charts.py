"""Small charts as inline SVG: bars of the last results, a line of values; their colours are in charts.css.

Each is one picture to a screen reader, with a sentence as its name; :func:`bar_list` says the same one by
one. Pure: values in, safe HTML out; no style attribute, which our content security policy refuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import isfinite
from typing import Literal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Style = Literal["up", "down", "unknown"]

MOST_BARS = 40
BAR_STEP, BAR_WIDTH, BARS_HEIGHT = 6, 4, 24
# A state is also a height, so that it is seen without its colour.
BAR_HEIGHTS: dict[Style, int] = {"up": 16, "down": 24, "unknown": 8}
BAR_WORDS: dict[Style, str] = {"up": "up", "down": "down", "unknown": "inconclusive"}

MOST_POINTS = 120
LINE_WIDTH, LINE_HEIGHT, LINE_MARGIN = 120, 24, 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One result: ``text`` is what stands beside the pointer, such as its time, code, reason and ms."""

    style: Style
    text: str


def bars(results: Sequence[Bar], most: int = MOST_BARS) -> SafeString:
    """The last ``most`` results, the newest at the right, each with its text as a title."""
    shown = results[-most:] if most > 0 else []
    first = most - len(shown)
    rects = format_html_join("", BAR, (_bar(bar, first + place) for place, bar in enumerate(shown)))
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        max(1, most * BAR_STEP - (BAR_STEP - BAR_WIDTH)),
        BARS_HEIGHT,
        bars_in_words(shown),
        rects,
    )


BAR = '<rect class="bar-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'


def _bar(bar: Bar, place: int) -> tuple[str, int, int, int, int, str]:
    height = BAR_HEIGHTS[bar.style]
    return bar.style, place * BAR_STEP, BARS_HEIGHT - height, BAR_WIDTH, height, bar.text


def bars_in_words(results: Sequence[Bar]) -> str:
    """``40 results: 38 up, 2 down``; the last one in full, as it says how it stands."""
    if not results:
        return "No results"
    counts = Counter(bar.style for bar in results)
    parts = ", ".join(f"{counts[style]} {word}" for style, word in BAR_WORDS.items() if counts[style])
    noun = "result" if len(results) == 1 else "results"
    return f"{len(results)} {noun}: {parts}; the last: {results[-1].text}"


def bar_list(results: Iterable[Bar]) -> SafeString:
    """The results as a list, for who reads them one by one."""
    items = format_html_join("", '<li class="text-{}">{}</li>', ((bar.style, bar.text) for bar in results))
    return format_html('<ol class="bar-list">{}</ol>', items)


def sparkline(values: Sequence[float | None], name: str) -> SafeString:
    """The values as a line from zero up, equally apart; None, NaN and infinities are gaps.

    More than MOST_POINTS are shown as the means of equal parts. ``name`` says in words what the line shows.
    """
    points = _thinned([value if value is not None and isfinite(value) else None for value in values])
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}" vector-effect="non-scaling-stroke"/></svg>',
        LINE_WIDTH,
        LINE_HEIGHT,
        name,
        mark_safe("".join(_strokes(points))),  # noqa: S308  (letters and numbers of our own)
    )


def _thinned(values: list[float | None]) -> list[float | None]:
    """At most MOST_POINTS: the means of equal parts."""
    count = len(values)
    if count <= MOST_POINTS:
        return values
    cuts = [count * part // MOST_POINTS for part in range(MOST_POINTS + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(cuts)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(value / len(known) for value in known) if known else None


def _strokes(values: Sequence[float | None]) -> Iterator[str]:
    """A stroke of the path for each run of values without a gap; a value alone is a dot."""
    top = max((value for value in values if value is not None), default=0) or 1
    step = (LINE_WIDTH - 2 * LINE_MARGIN) / max(1, len(values) - 1)
    room = LINE_HEIGHT - 2 * LINE_MARGIN
    for is_gap, run in groupby(enumerate(values), key=lambda pair: pair[1] is None):
        if is_gap:
            continue
        places = [
            f"{LINE_MARGIN + index * step:.4g} {LINE_MARGIN + room * (1 - max(0, value or 0) / top):.3g}"
            for index, value in run
        ]
        yield f"M{places[0]}" + ("h0" if len(places) == 1 else "L" + "L".join(places[1:]))
