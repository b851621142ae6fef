"""How a result is written, and when a goal counts as met."""

from __future__ import annotations

import pytest

from benchmarks.report import Goal, Line, figure, table


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.2134, "ms", "0.213 ms"), (2.134, "s", "2.13 s"), (21.34, "ms", "21.3 ms"), (2134.2, "", "2,134")],
    ids=["thousandths", "hundredths", "tenths", "whole"],
)
def test_a_figure_has_three_digits_that_count(value: float, unit: str, words: str) -> None:
    assert figure(value, unit) == words


@pytest.mark.parametrize(
    ("goal", "values", "judged"),
    [
        (Goal(5), [9.0, 4.0, 5.0], "ok"),
        (Goal(5), [9.0, 4.0, 6.0], "missed"),
        (Goal(2, at_least=True), [1.0, 2.0, 3.0], "ok"),
        (Goal(2, at_least=True), [1.0, 1.9, 3.0], "missed"),
        (None, [1.0], ""),
    ],
    ids=["most, met", "most, missed", "least, met", "least, missed", "no goal"],
)
def test_the_median_is_held_against_the_goal(goal: Goal | None, values: list[float], judged: str) -> None:
    assert Line("a thing", values, "ms", goal).cells()[-1] == judged


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("one", "2")]) == "| a   | b   |\n| --- | --- |\n| one | 2   |"
