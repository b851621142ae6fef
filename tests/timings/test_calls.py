"""What is kept of samples until they are stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timings.calls import Calls, Column
from timings.wire import Sample

SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from("ab"),
        st.sampled_from("tu"),
        st.integers(0, 3),
        st.floats(0, 9),
        st.sampled_from(["", "", '{"user":1}']),
    )
)


def call(key="a", token="t", ts=5, time=0.5, extra=""):
    return Sample(key, token, ts, time, extra)


def test_calls_of_a_key_stay_in_their_order_and_are_numbered_on():
    calls = Calls([call(time=0.1), call("b", time=0.9), call(ts=4, time=0.2)])
    assert calls.by_name(7) == {
        ("a", "t"): Column([5, 4], [0.1, 0.2], range(7, 9), {}),
        ("b", "t"): Column([5], [0.9], range(9, 10), {}),
    }


def test_numbers_tell_in_which_order_calls_of_a_key_came_with_several_tokens():
    calls = Calls([call(time=0.1), call(token="u", time=0.2), call(time=0.3, extra="{}")])
    assert calls.by_name(1) == {
        ("a", "t"): Column([5, 5], [0.1, 0.3], [1, 3], {1: "{}"}),
        ("a", "u"): Column([5], [0.2], [2], {}),
    }


@pytest.mark.parametrize("samples", [[], [call()]], ids=["none", "one"])
def test_there_are_as_many_as_were_added(samples):
    calls = Calls(samples)
    calls.add(samples)
    assert (len(calls), list(calls)) == (2 * len(samples), 2 * samples)
    assert calls.keys == len({sample.key for sample in samples})


@given(SAMPLES, st.integers(0, 20))
def test_it_is_the_same_whether_calls_are_added_together_or_in_parts(samples, at):
    parts = Calls(samples[:at])
    parts.add(samples[at:])
    assert parts.by_name(3) == Calls(samples).by_name(3)
    assert list(parts) == sorted(samples, key=lambda each: [one.key for one in samples].index(each.key))


def test_calls_of_one_token_and_second_are_kept_as_any_others():
    alike = [call(key, time=time) for key in "ab" for time in (0.1, 0.2)]
    calls, others = Calls(), Calls()
    for some in (alike, [call(ts=6)], alike):
        calls.add(some, alike=True)
        others.add(some)
    assert list(calls) == list(others)
    assert calls.by_name(1) == others.by_name(1)


@given(SAMPLES)
def test_every_call_is_in_one_column_with_all_that_it_had(samples):
    found = [
        (number, Sample(key, token, ts, time, column.extras.get(place, "")))
        for (key, token), column in Calls(samples).by_name(0).items()
        for place, (ts, time, number) in enumerate(
            zip(column.stamps, column.times, column.numbers, strict=True)
        )
    ]
    assert [number for number, _ in sorted(found, key=lambda each: each[0])] == list(range(len(samples)))
    for key in "ab":
        of_key = [sample for _, sample in sorted(found, key=lambda each: each[0]) if sample.key == key]
        assert of_key == [sample for sample in samples if sample.key == key]
