"""Several late alerts as one message: nothing of any is left out, and nobody takes it for an old one."""

from __future__ import annotations

import pytest

from alerts.joining import joined
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


@pytest.mark.parametrize(
    ("posts", "post"),
    [
        pytest.param(["Down: a", "Up again: a"], "Down: a. Up again: a", id="both-fit"),
        pytest.param(["x" * 270, "Up again: a"], "Up again: a", id="the-newest-if-one-must-go"),
    ],
)
def test_a_post_holds_as_many_of_the_newest_as_fit(posts: list[str], post: str) -> None:
    assert joined([message(public=each) for each in posts]).public == post
