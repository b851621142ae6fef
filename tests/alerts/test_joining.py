"""Several late alerts as one message: nothing of any is left out, and nobody takes it for an old one."""

from __future__ import annotations

import pytest

from alerts.joining import fitting, joined
from tests.alerts.conftest import message

DOWN = message(subject="Down: shop", text="Shop is down.\n", html="<html><body><p>Down</p></body></html>")
UP = message(subject="Up again: shop", text="Shop is up.\n", html="<html><body><p>Up</p></body></html>")


def test_one_alone_stays_as_it_is() -> None:
    assert joined([DOWN]) is DOWN


def test_two_are_told_in_their_order_under_the_newer_ones_key() -> None:
    both = joined([DOWN, UP])
    assert both.key == UP.key
    assert both.subject == "Up again: shop (late, and before it: Down: shop)"
    assert both.text.index("Shop is down.") < both.text.index("Shop is up.")
    assert both.html.endswith("<hr><p>Down</p><hr><p>Up</p></body></html>")
    assert both.html.count("<body") == 1


def test_of_many_the_subject_counts_the_rest() -> None:
    assert joined([DOWN, DOWN, UP]).subject.endswith("(late, and before it: 2 messages)")


def test_posts_are_joined_in_their_order() -> None:
    assert joined([message(public="Down: a"), message(public="Up: a")]).public == "Down: a. Up: a"


@pytest.mark.parametrize(
    ("posts", "count"),
    [
        pytest.param(["Down: a", "Up again: a"], 2, id="both"),
        pytest.param(["x" * 270, "Up again: a"], 1, id="not-both"),
        pytest.param(["x" * 140, "y" * 138, "Up again: a"], 2, id="the-oldest-first"),
        pytest.param(["x" * 300, "Up again: a"], 1, id="one-at-least"),
    ],
)
def test_a_post_holds_as_many_of_the_oldest_as_fit(posts: list[str], count: int) -> None:
    assert fitting(posts) == count
