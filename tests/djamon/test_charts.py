"""The small charts: what is drawn, in which place, and that nothing in them is more than text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djamon.lib.charts import Bar, bar_list, bars, bars_in_words, sparkline

SVG = ElementTree.Element
UP, DOWN, UNSURE = Bar("up", "09:00 200 12 ms"), Bar("down", "09:01 refused"), Bar("unknown", "no route")
HOSTILE = "<script>alert(1)</script>\"'&\u202e"


def read(svg: str) -> SVG:
    return ElementTree.fromstring(svg)


def path(values) -> str:
    (drawn,) = read(sparkline(values, "Response time"))
    return drawn.get("d", "")


# --- Bars ----------------------------------------------------------------------------------------
def test_bars_stand_at_the_right_in_their_order() -> None:
    svg = read(bars([UP, DOWN, UNSURE], most=5))
    assert svg.get("viewBox") == "0 0 28 24"
    assert [(rect.get("class"), rect.get("x")) for rect in svg] == [
        ("bar-up", "12"),
        ("bar-down", "18"),
        ("bar-unknown", "24"),
    ]
    assert [rect[0].text for rect in svg] == [UP.text, DOWN.text, UNSURE.text]


def test_each_state_has_a_height_of_its_own() -> None:
    rects = list(read(bars([UP, DOWN, UNSURE])))
    assert len({rect.get("height") for rect in rects}) == 3
    assert {int(rect.get("y", 0)) + int(rect.get("height", 0)) for rect in rects} == {24}


def test_only_the_last_results_are_shown() -> None:
    svg = read(bars([DOWN, *[UP] * 40]))
    assert {rect.get("class") for rect in svg} == {"bar-up"}
    assert len(svg) == 40


WORDS = {
    "none": ([], "No results"),
    "one": ([UP], "1 result: 1 up; the last: 09:00 200 12 ms"),
    "mixed": ([UP, UNSURE, UP, DOWN], "4 results: 2 up, 1 down, 1 inconclusive; the last: 09:01 refused"),
}


@pytest.mark.parametrize(("results", "words"), WORDS.values(), ids=WORDS)
def test_bars_have_a_sentence_as_their_name(results, words) -> None:
    svg = read(bars(results))
    assert bars_in_words(results) == svg.get("aria-label") == words
    assert svg.get("role") == "img"


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
    "one": ([5.0], "M2 2h0"),
    "zeros": ([0, 0], "M2 22L118 22"),
    "rising": ([0, 5, 10], "M2 22L60 12L118 2"),
    "gap": ([10, 10, None, 10], "M2 2L40.67 2M118 2h0"),
    "not a number": ([10, float("nan"), 10], "M2 2h0M118 2h0"),
    "infinite": ([float("inf"), 10], "M118 2h0"),
    "negative": ([-5, 10], "M2 22L118 2"),
}


@pytest.mark.parametrize(("values", "drawn"), LINES.values(), ids=LINES)
def test_the_path_of_a_line(values, drawn) -> None:
    assert path(values) == drawn


def test_many_values_are_means_of_equal_parts() -> None:
    drawn = path([10, 30] * 1200)
    assert drawn.count("L") == 119
    assert set(re.findall(r" ([0-9.]+)", drawn)) == {"2"}  # every mean is the same, and so the greatest


@given(st.lists(st.none() | st.floats()))
def test_whatever_the_values_the_line_stays_in_its_box(values) -> None:
    drawn = path(values)
    assert re.fullmatch(r"(M[\d.]+ [\d.]+(h0|(L[\d.]+ [\d.]+)+))*", drawn)
    places = re.findall(r"([\d.]+) ([\d.]+)", drawn)
    assert all(2 <= float(x) <= 118 and 2 <= float(y) <= 22 for x, y in places)


# --- Both ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "svg",
    [bars([Bar("up", HOSTILE)]), bar_list([Bar("down", HOSTILE)]), sparkline([1, 2], HOSTILE)],
    ids=["bars", "list", "line"],
)
def test_words_are_text_and_nothing_is_styled(svg) -> None:
    assert "<script" not in svg
    assert "style=" not in svg
    tree = read(svg)
    words = [tree.get("aria-label", ""), *tree.itertext()]
    assert any(HOSTILE in word for word in words)
