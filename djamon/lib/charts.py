"""Small charts as inline SVG: bars of the last results, a line of values; their colours are in charts.css.

Each is one picture to a screen reader, with a sentence as its name; :func:`bar_list` says the same one by
one. Pure: values in, safe HTML out; no style attribute, which our content security policy refuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from math import isfinite
from operator import sub
from typing import Any, Literal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Style = Literal["up", "down", "unknown"]

MOST_BARS = 40
BAR_STEP, BAR_GAP, BARS_HEIGHT = 6, 2, 24
# A state is also a height, so that it is seen without its colour. Heights and dashes stand in charts.css too.
BAR_HEIGHTS: dict[Style, int] = {"up": 16, "down": 24, "unknown": 8}
BAR_WORDS: dict[Style, str] = {"up": "up", "down": "down", "unknown": "inconclusive"}

MOST_POINTS = MOST_BARS
LINE_STEP, LINE_HEIGHT, LINE_MARGIN = 3, 24, 2
LINE_WIDTH = (MOST_POINTS - 1) * LINE_STEP + 2 * LINE_MARGIN
LINE_ROOM = LINE_HEIGHT - 2 * LINE_MARGIN
# The next point of a line, by how much lower it is: a page of 1,000 sites has 40,000 of them.
LINE_STROKES = {fall: f"l{LINE_STEP}{fall: }" for fall in range(-LINE_ROOM, LINE_ROOM + 1)}


@dataclass(frozen=True, slots=True)
class Bar:
    """One result: ``text`` says all of it, such as its time, code, reason and ms."""

    style: Style
    text: str


@lru_cache(maxsize=4096)
def bars(styles: tuple[Style, ...], most: int = MOST_BARS) -> SafeString:
    """The last ``most`` results, the newest at the right: a path for each style that occurs.

    A picture without a name: the link or the text around it says :func:`bars_in_words`.
    """
    shown = styles[-most:] if most > 0 else ()
    paths = format_html_join(
        "",
        '<path class="bar-{}" d="{}"/>',
        ((style, _bar_strokes(shown, style, most)) for style in BAR_HEIGHTS if style in shown),
    )
    width = max(1, most * BAR_STEP - BAR_GAP)
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>', width, BARS_HEIGHT, paths
    )


def _bar_strokes(styles: Sequence[Style], style: Style, most: int) -> str:
    """One stroke for each run of this style, as thick as its bars are high; its dashes are the bars."""
    middle = BARS_HEIGHT - BAR_HEIGHTS[style] // 2
    strokes, place = [], most - len(styles)
    for found, run in groupby(styles):
        length = len(list(run))
        if found == style:
            strokes.append(f"M{place * BAR_STEP} {middle}h{length * BAR_STEP - BAR_GAP}")
        place += length
    return "".join(strokes)


@lru_cache(maxsize=4096)
def bars_in_words(styles: tuple[Style, ...]) -> str:
    """``40 results: 38 up, 2 down``."""
    if not styles:
        return "No results"
    counts = Counter(styles)
    parts = ", ".join(f"{counts[style]} {word}" for style, word in BAR_WORDS.items() if counts[style])
    return f"{len(styles)} {'result' if len(styles) == 1 else 'results'}: {parts}"


def bar_list(results: Iterable[Bar]) -> SafeString:
    """The results as a list, for who reads them one by one."""
    items = format_html_join("", '<li class="text-{}">{}</li>', ((bar.style, bar.text) for bar in results))
    return format_html('<ol class="bar-list">{}</ol>', items)


def sparkline(values: Sequence[float | None]) -> SafeString:
    """The values as a line from zero up, the newest at the right; None, NaN and infinities are gaps.

    More than MOST_POINTS are shown as the means of equal parts. Without a name, as bars are.
    """
    points = _thinned([value if value is not None and isfinite(value) else None for value in values])
    return mark_safe(  # noqa: S308  (letters and numbers of our own)
        f'<svg class="sparkline" viewBox="0 0 {LINE_WIDTH} {LINE_HEIGHT}" aria-hidden="true">'
        f'<path d="{"".join(_strokes(points))}"/></svg>'
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
    top = max([value for value in values if value is not None], default=0) or 1
    ground, x = LINE_HEIGHT - LINE_MARGIN, LINE_WIDTH - LINE_MARGIN - (len(values) - 1) * LINE_STEP
    # Divided before it is multiplied: the greatest float there is must not become infinite.
    heights = [
        None if value is None else ground - int(LINE_ROOM * (value / top)) if value > 0 else ground
        for value in values
    ]
    runs = groupby(heights, key=_is_gap) if None in heights else [(False, heights)] if heights else []
    for is_gap, run in runs:
        found: list[Any] = list(run)
        if not is_gap:
            line = "".join([LINE_STROKES[fall] for fall in map(sub, found[1:], found)]) or "h0"
            yield f"M{x} {found[0]}{line}"
        x += len(found) * LINE_STEP


def _is_gap(height: int | None) -> bool:
    return height is None
