"""The rule of limits. Minutes, oldest first: ``a`` is above, ``b`` not, ``.`` has no calls, ``q`` too few."""

from __future__ import annotations

import pytest

from timings.limits import (
    MINUTE_S,
    SETTLE_S,
    Event,
    Minute,
    Standing,
    State,
    Terms,
    judge,
    last_complete,
)

FINE, OVER, UNKNOWN = State.FINE, State.OVER, State.UNKNOWN
EXCEEDED, AGAIN, UNHEARD = Event.EXCEEDED, Event.FINE_AGAIN, Event.UNHEARD
LAST = 1_780_000_020 // MINUTE_S * MINUTE_S  # the last complete minute
NOW = LAST + MINUTE_S + SETTLE_S
LONG_AGO = LAST - 9 * 3600
VALUES = {"a": 300.0, "A": 900.0, "=": 200.0, "b": 100.0, "q": 900.0}


def told(minutes: str, fewest: int = 2) -> list[Minute]:
    """The last letter is the last complete minute."""
    start = LAST - (len(minutes) - 1) * MINUTE_S
    return [
        Minute(start + place * MINUTE_S, fewest - 1 if letter == "q" else fewest, VALUES[letter])
        for place, letter in enumerate(minutes)
        if letter != "."
    ]


def standing(state: State, over_since: int | None = None) -> Standing:
    return Standing(state, LONG_AGO, LONG_AGO if state is OVER else over_since)


@pytest.mark.parametrize(
    ("before", "n", "minutes", "after", "event"),
    [
        # Fine: N minutes above make it over.
        pytest.param(FINE, 1, "ba", OVER, EXCEEDED, id="one-of-one"),
        pytest.param(FINE, 5, "baaaa", FINE, None, id="four-of-five"),
        pytest.param(FINE, 5, "baaaaa", OVER, EXCEEDED, id="five-of-five"),
        pytest.param(FINE, 5, "aabaa", FINE, None, id="one-below-breaks-them"),
        pytest.param(FINE, 5, "=====", FINE, None, id="just-the-threshold-is-not-above"),
        pytest.param(FINE, 3, "bbb", FINE, None, id="nothing-above"),
        # Minutes without calls neither trip nor clear.
        pytest.param(FINE, 5, "a.a.a", OVER, EXCEEDED, id="half-and-more-speak"),
        pytest.param(FINE, 4, "a..a", OVER, EXCEEDED, id="just-half-speak"),
        pytest.param(FINE, 2, "....a", FINE, None, id="new-and-slow-for-one-minute-of-two"),
        pytest.param(FINE, 5, "..aaa", FINE, None, id="new-and-slow-for-three-minutes-of-five"),
        pytest.param(FINE, 4, "a.a.a", OVER, EXCEEDED, id="slow-already-before-the-first-of-four"),
        pytest.param(FINE, 5, "a...a", FINE, None, id="less-than-half-speak"),
        pytest.param(FINE, 30, "a", FINE, None, id="one-slow-call-is-no-half-hour"),
        pytest.param(FINE, 5, "aaaaa....", OVER, EXCEEDED, id="told-late-by-four-minutes"),
        pytest.param(FINE, 5, "aaaaa.....", FINE, None, id="told-late-by-five-is-too-late"),
        pytest.param(FINE, 1, "abb", OVER, EXCEEDED, id="a-call-that-came-after-its-minute"),
        # Too few calls are as none.
        pytest.param(FINE, 1, "bq", FINE, None, id="too-few-calls-do-not-trip"),
        pytest.param(FINE, 3, "aqa", OVER, EXCEEDED, id="too-few-calls-do-not-break"),
        # Over: N minutes, at least five, without one above.
        pytest.param(OVER, 1, "ab", OVER, None, id="one-minute-below-is-not-enough"),
        pytest.param(OVER, 1, "abbbb", OVER, None, id="nor-four"),
        pytest.param(OVER, 1, "abbbbb", FINE, AGAIN, id="five-are"),
        pytest.param(OVER, 10, "abbbbbbbbb", OVER, None, id="nine-of-ten"),
        pytest.param(OVER, 10, "abbbbbbbbbb", FINE, AGAIN, id="ten-of-ten"),
        pytest.param(OVER, 1, "abababab", OVER, None, id="each-other-minute-is-told-once"),
        pytest.param(OVER, 1, "a.....", OVER, None, id="silence-does-not-clear"),
        pytest.param(OVER, 1, "a....b", FINE, AGAIN, id="one-that-speaks-among-silent-ones"),
        pytest.param(OVER, 5, "qqqqqqq" + "a", OVER, None, id="still-above"),
        pytest.param(OVER, 3, "aaa", OVER, None, id="over-is-told-once"),
        # Nothing heard.
        pytest.param(OVER, 5, "a" + "." * 59, OVER, None, id="an-hour-less-a-minute"),
        pytest.param(OVER, 5, "a" + "." * 60, UNKNOWN, UNHEARD, id="an-hour-of-silence-is-told"),
        pytest.param(OVER, 5, "a" + "q" * 60, UNKNOWN, UNHEARD, id="too-few-calls-are-silence"),
        pytest.param(FINE, 5, "", UNKNOWN, None, id="fine-and-silent-tells-nobody"),
        pytest.param(UNKNOWN, 5, "", UNKNOWN, None, id="still-silent"),
        pytest.param(OVER, 120, "a" + "." * 100, OVER, None, id="a-longer-limit-waits-longer"),
        # Heard first, or again.
        pytest.param(UNKNOWN, 5, "b", FINE, None, id="first-heard-is-fine"),
        pytest.param(UNKNOWN, 5, "aa", FINE, None, id="not-yet-long-enough-is-fine"),
        pytest.param(UNKNOWN, 2, "aa", OVER, EXCEEDED, id="first-heard-is-over"),
    ],
)
def test_judge(before, n, minutes, after, event) -> None:
    found = judge(standing(before), Terms(200.0, n, 2), told(minutes), NOW)
    assert (found.standing.state, found.event) == (after, event)


@pytest.mark.parametrize(
    ("minutes", "after", "event"),
    [
        pytest.param("b", FINE, AGAIN, id="fine"),
        pytest.param("bab", UNKNOWN, None, id="not-calm-yet"),
        pytest.param("aa", OVER, EXCEEDED, id="over-once-more"),
        pytest.param("", UNKNOWN, None, id="silent"),
    ],
)
def test_after_a_silence_what_was_over_is_told_of_when_it_is_heard_again(minutes, after, event) -> None:
    found = judge(standing(UNKNOWN, LONG_AGO), Terms(200.0, 2, 2), told(minutes), NOW)
    assert (found.standing.state, found.event) == (after, event)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("n", [1, 2, 5, 7, 10])
def test_to_look_again_changes_nothing(before, n) -> None:
    for number in range(0, 3**12, 1999):  # a prime: all lengths of all letters come up
        minutes = "".join("ab."[number // 3**place % 3] for place in range(12))
        terms, heard = Terms(200.0, n, 1), told(minutes, 1)
        first = judge(standing(before), terms, heard, NOW)
        again = judge(first.standing, terms, heard, NOW)
        assert (again.standing, again.event) == (first.standing, None), minutes


def test_it_is_over_since_its_first_minute_above() -> None:
    found = judge(standing(FINE), Terms(200.0, 2), told("b.aaA.a"), NOW)
    assert found.standing == Standing(OVER, LAST - 4 * MINUTE_S, LAST - 4 * MINUTE_S)
    assert found.newest == Minute(LAST, 2, 300.0)
    assert found.highest == Minute(LAST - 2 * MINUTE_S, 2, 900.0)


def test_it_is_fine_since_the_end_of_its_last_minute_above() -> None:
    found = judge(standing(OVER), Terms(200.0, 1), told("Aabbbbb"), NOW)
    assert found.standing == Standing(FINE, LAST - 4 * MINUTE_S)
    assert (found.newest, found.highest) == (Minute(LAST, 2, 100.0), Minute(LAST - 6 * MINUTE_S, 2, 900.0))


def test_of_a_clock_that_was_set_back_no_end_lies_before_its_beginning() -> None:
    ahead = Standing(OVER, NOW + 86_400, NOW + 86_400)
    found = judge(ahead, Terms(200.0, 1), told("abbbbb"), NOW)
    assert (found.standing.since, found.event) == (NOW + 86_400, AGAIN)


@pytest.mark.parametrize(
    ("second", "last"), [(0, -120), (SETTLE_S - 0.1, -120), (SETTLE_S, -60), (59.9, -60)]
)
def test_a_minute_is_looked_at_when_its_calls_are_stored(second, last) -> None:
    assert last_complete(LAST + second) == LAST + last


def test_minutes_that_are_not_over_are_not_looked_at() -> None:
    coming = [Minute(LAST + MINUTE_S, 9, 900.0)]
    assert judge(standing(FINE), Terms(200.0, 1), coming, NOW).standing.state is UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "threshold_s", "reach", "back"),
    [
        pytest.param(1, 0.2, 5, 60, id="an-hour-at-least"),
        pytest.param(56, 0.2, 5, 60, id="just-an-hour"),
        pytest.param(57, 0.2, 5, 61, id="more-than-an-hour"),
        pytest.param(1440, 59, 5, 1444, id="a-day"),
        pytest.param(1, 60, 7, 60, id="calls-of-a-minute"),
        pytest.param(60, 600, 25, 84, id="calls-of-ten-minutes"),
        pytest.param(1, 1e9, 1445, 1445, id="no-more-than-a-day-late"),
    ],
)
def test_how_far_it_looks_back(minutes, threshold_s, reach, back) -> None:
    terms = Terms(threshold_s * 1000, minutes)
    assert (terms.reach, terms.looks_back) == (reach, back)


@pytest.mark.parametrize(
    ("before", "minutes", "after"),
    [
        pytest.param(FINE, "a" + "b" * 6, OVER, id="seven-minutes-late"),
        pytest.param(FINE, "a" + "b" * 7, FINE, id="too-late"),
        pytest.param(OVER, "a" + "b" * 6, OVER, id="not-calm-while-some-may-come"),
        pytest.param(OVER, "a" + "b" * 7, FINE, id="calm"),
    ],
)
def test_of_calls_that_take_minutes_all_are_waited_for(before, minutes, after) -> None:
    heard = [each._replace(value_ms=each.value_ms * 400) for each in told(minutes)]
    assert judge(standing(before), Terms(80_000, 1), heard, NOW).standing.state is after
