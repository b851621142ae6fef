"""The order of names."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.names import natural


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["shop 10", "Shop 2", "Shop", "2 shops", "10 shops", "Shop 2b", "Shop 02", "blog"]
    expected = ["2 shops", "10 shops", "blog", "Shop", "Shop 2", "Shop 02", "Shop 2b", "shop 10"]
    assert sorted(names, key=natural) == expected


@given(st.lists(st.text(st.sampled_from("aB 019٣²ß🚀"))))
def test_any_names_have_an_order(names: list[str]) -> None:
    keys = sorted(map(natural, names))
    assert all(first <= second for first, second in pairwise(keys))
