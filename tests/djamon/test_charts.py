"""The small charts: what is drawn, in which place, and that nothing in them is more than text."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djamon.lib.charts import BAR_GAP, BAR_HEIGHTS, BAR_STEP, Bar, bar_list, bars, bars_in_words, sparkline

SVG = ElementTree.Element
UP, DOWN = Bar("up", "09:00 200 12 ms"), Bar("down", "09:01 refused")
HOSTILE = "<script>alert(1)</script>\"'&\u202e"


def read(svg: str) -> SVG:
    return ElementTree.fromstring(svg)


def path(values) -> str:
    (drawn,) = read(sparkline(values))
    return drawn.get("d", "")


# --- Bars ----------------------------------------------------------------------------------------
BARS = {
    "none": ((), {}),
    "one of each": (
        ("up", "down", "unknown"),
        {"bar-up": "M12 16h4", "bar-down": "M18 12h4", "bar-unknown": "M24 20h4"},
    ),
    "runs": (("up", "up", "down", "up"), {"bar-up": "M6 16h10M24 16h4", "bar-down": "M18 12h4"}),
    "too many": (("down", *["up"] * 5), {"bar-up": "M0 16h28"}),
}


@pytest.mark.parametrize(("styles", "strokes"), BARS.values(), ids=BARS)
def test_bars_are_dashes_of_one_stroke_for_each_run(styles, strokes) -> None:
    svg = read(bars(styles, most=5))
    assert svg.get("viewBox") == "0 0 28 24"
    assert {drawn.get("class"): drawn.get("d") for drawn in svg} == strokes


def test_each_state_has_a_height_of_its_own_from_the_ground() -> None:
    css = Path("static/djamon/charts.css").read_text()
    for style, drawn in zip(BAR_HEIGHTS, read(bars(tuple(BAR_HEIGHTS))), strict=True):
        height = BAR_HEIGHTS[style]
        assert f".bar-{style} {{\n  stroke-width: {height};" in css
        assert drawn.get("d", "").split("h")[0].endswith(f" {24 - height // 2}")


def test_the_dashes_of_the_stylesheet_are_as_far_apart_as_the_bars() -> None:
    css = Path("static/djamon/charts.css").read_text()
    assert f"stroke-dasharray: {BAR_STEP - BAR_GAP} {BAR_GAP};" in css


WORDS = {
    "none": ((), "No results"),
    "one": (("up",), "1 result: 1 up"),
    "mixed": (("up", "unknown", "up", "down"), "4 results: 2 up, 1 down, 1 inconclusive"),
}


@pytest.mark.parametrize(("styles", "words"), WORDS.values(), ids=WORDS)
def test_bars_are_said_in_words(styles, words) -> None:
    assert bars_in_words(styles) == words


def test_the_list_says_each_result() -> None:
    items = list(read(bar_list([UP, DOWN])))
    assert [(item.get("class"), item.text) for item in items] == [
        ("text-up", UP.text),
        ("text-down", DOWN.text),
    ]


# --- Lines ---------------------------------------------------------------------------------------
LINES = {
    "none": ([], ""),
    "gaps alone": ([None, None], ""),
    "one": ([5.0], "M119 2h0"),
    "zeros": ([0, 0], "M116 22l3 0"),
    "rising": ([0, 5, 10], "M113 22l3-10l3-10"),
    "falling": ([10, 5], "M116 2l3 10"),
    "gap": ([10, 10, None, 10], "M110 2l3 0M119 2h0"),
    "not a number": ([10, float("nan"), 10], "M113 2h0M119 2h0"),
    "infinite": ([float("inf"), 10], "M119 2h0"),
    "negative": ([-5, 10], "M116 22l3-20"),
    "greatest": ([1.7e308, 1.7e308], "M116 2l3 0"),
}


@pytest.mark.parametrize(("values", "drawn"), LINES.values(), ids=LINES)
def test_the_path_of_a_line(values, drawn) -> None:
    assert path(values) == drawn


def test_many_values_are_means_of_equal_parts() -> None:
    drawn = path([10, 30] * 400)
    assert drawn == "M2 2" + "l3 0" * 39  # every mean is the same, and so the greatest


@given(st.lists(st.none() | st.floats()))
def test_whatever_the_values_the_line_stays_in_its_box(values) -> None:
    for stroke in path(values).split("M")[1:]:
        x, y, *steps = map(int, re.findall(r"-?\d+", stroke.removesuffix("h0")))
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            assert 2 <= x <= 119
            assert 2 <= y <= 22
            x, y = x + dx, y + dy
        assert 2 <= x <= 119
        assert 2 <= y <= 22


# --- All -----------------------------------------------------------------------------------------
def test_words_are_text() -> None:
    tree = read(bar_list([Bar("down", HOSTILE)]))
    assert list(tree.itertext()) == [HOSTILE]


@pytest.mark.parametrize("svg", [bars(("up",)), sparkline([1, 2])], ids=["bars", "line"])
def test_pictures_are_not_styled_and_not_read_out(svg) -> None:
    assert "style=" not in svg
    assert read(svg).get("aria-hidden") == "true"
