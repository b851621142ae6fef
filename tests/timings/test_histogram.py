"""Histograms: what they tell, how near they are, and that they add up."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timings.histogram import LEAST_S, MOST_S, bins_of, loaded, packed, percentiles, percentiles_of, stored

SHARES = (0.0, 0.5, 0.95, 0.99, 1.0)
times = st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=200)


def histogram(values):
    return packed(bins_of(values))


def exact(values, share):
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(1, ceil(share * len(values))) - 1]


@given(times)
def test_percentiles_are_within_one_percent(values):
    for told, share in zip(percentiles(histogram(values), SHARES), SHARES, strict=True):
        assert told == pytest.approx(min(max(exact(values, share), LEAST_S), MOST_S), rel=0.0101)


@given(st.lists(times, min_size=1, max_size=20))
def test_percentiles_of_parts_that_were_stored_are_within_one_percent_too(parts):
    values = [value for part in parts for value in part]
    told = percentiles_of([stored(histogram(part)) for part in parts], len(values), SHARES)
    assert told == percentiles(histogram(values), SHARES)
    for value, share in zip(told, SHARES, strict=True):
        assert value == pytest.approx(min(max(exact(values, share), LEAST_S), MOST_S), rel=0.0101)


@pytest.mark.parametrize("count", [1, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**40])
def test_parts_of_any_size_are_added_up(count):
    parts = [stored(histogram([0.5]) * count), stored(histogram([0.001, 7.0]))]
    assert percentiles_of(parts, count + 2, (0.0, 1.0)) == percentiles(histogram([0.001, 7.0]), (0.0, 1.0))


@given(times, times)
def test_two_histograms_add_up_to_that_of_both(some, others):
    assert histogram(some) + histogram(others) == histogram(some + others)


@given(times)
def test_what_is_stored_is_loaded_again(values):
    assert loaded(stored(histogram(values))) == histogram(values)


@pytest.mark.parametrize("count", [1, 255, 256, 65_536, 2**31, 2**39])
def test_counts_of_any_size_are_stored(count):
    assert loaded(stored(histogram([0.5]) * count)) == histogram([0.5]) * count


def test_an_empty_histogram_has_no_percentiles_and_no_bytes():
    assert percentiles(0, SHARES) == [None] * 5
    assert stored(0) == b""
    assert loaded(b"") == 0


def test_a_function_of_a_hundred_calls_takes_little_room():
    assert len(stored(histogram([0.001 * (1 + n / 100) for n in range(100)]))) < 50
