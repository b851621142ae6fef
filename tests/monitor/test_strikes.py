"""The strike rule: a table of single steps, and hypothesis against a slow, obvious reading of the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.strikes import Event, Standing, judge
from monitor.verdicts import Verdict

UP, DOWN, INCONCLUSIVE = Verdict.UP, Verdict.DOWN, Verdict.INCONCLUSIVE

STEPS = {
    "a good answer leaves a good site alone": (Standing(0), UP, Standing(0), Event.NOTHING),
    "the first failure counts one": (Standing(0), DOWN, Standing(1), Event.NOTHING),
    "the second failure counts two": (Standing(1), DOWN, Standing(2), Event.NOTHING),
    "the third failure in a row fells": (Standing(2), DOWN, Standing(3, True), Event.FELL),
    "a good answer before the third resets": (Standing(2), UP, Standing(0), Event.NOTHING),
    "who is down falls no second time": (Standing(3, True), DOWN, Standing(4, True), Event.NOTHING),
    "a good answer brings back": (Standing(7, True), UP, Standing(0), Event.CAME_BACK),
    "our own fault leaves two strikes as they are": (Standing(2), INCONCLUSIVE, Standing(2), Event.NOTHING),
    "our own fault brings nobody back": (Standing(3, True), INCONCLUSIVE, Standing(3, True), Event.NOTHING),
    "a limit lowered since fells at the next failure": (Standing(5), DOWN, Standing(6, True), Event.FELL),
}


@pytest.mark.parametrize(("before", "verdict", "after", "event"), STEPS.values(), ids=STEPS.keys())
def test_one_step_with_three_strikes(before, verdict, after, event) -> None:
    assert judge(before, verdict, strikes=3) == (after, event)


def test_one_strike_fells_at_once() -> None:
    assert judge(Standing(0), DOWN, strikes=1) == (Standing(1, True), Event.FELL)


def down_by_looking_back(verdicts: list[Verdict], strikes: int) -> bool:
    """Down: so many failures since the last good answer; our own faults do not count."""
    spoken = [verdict for verdict in verdicts if verdict is not INCONCLUSIVE]
    since_good: list[Verdict] = []
    for verdict in spoken:
        since_good = [] if verdict is UP else [*since_good, verdict]
    return len(since_good) >= strikes


@given(st.lists(st.sampled_from(Verdict), max_size=40), st.integers(1, 6))
def test_any_history_ends_as_looking_back_over_it_says(verdicts, strikes) -> None:
    standing = Standing()
    for seen, verdict in enumerate(verdicts, 1):
        was_down = standing.down
        standing, event = judge(standing, verdict, strikes)
        is_down = down_by_looking_back(verdicts[:seen], strikes)
        assert standing.down == is_down
        assert event == {(False, True): Event.FELL, (True, False): Event.CAME_BACK}.get(
            (was_down, is_down), Event.NOTHING
        )
