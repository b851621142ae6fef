from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djamon.lib.durations import UNITS, in_words, roughly

ROUGHLY = {
    "nothing": (0, "0 seconds"),
    "one part": (59, "59 seconds"),
    "two parts": (61, "1 minute, 1 second"),
    "three parts": (3661, "1 hour, 1 minute"),
    "four parts": (90_061, "1 day, 1 hour"),
    "two with a gap": (86_401, "1 day, 1 second"),
    "negative": (-5, "0 seconds"),
    "fraction": (61.999, "1 minute, 1 second"),
}


@pytest.mark.parametrize(("seconds", "words"), ROUGHLY.values(), ids=ROUGHLY)
def test_roughly(seconds, words) -> None:
    assert roughly(seconds) == words


@given(st.integers(0, 10**9))
def test_words_add_up_to_the_seconds(seconds) -> None:
    sizes = dict(UNITS)
    parts = re.findall(r"(\d+) (\w+?)s?(?:, |$)", in_words(seconds))
    assert sum(int(count) * sizes[unit] for count, unit in parts) == seconds


@given(st.integers(1, 10**9))
def test_no_part_is_zero_and_one_is_singular(seconds) -> None:
    for part in in_words(seconds).split(", "):
        count, unit = part.split()
        assert int(count) > 0
        assert unit.endswith("s") == (count != "1")
