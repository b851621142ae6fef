"""Forms in our layout: where the cursor stands after a mistake."""

from __future__ import annotations

import re

import pytest
from django import forms

from djamon.lib.forms import StyledForm


class Sample(StyledForm, forms.Form):
    key = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=3, widget=forms.TextInput(attrs={"autofocus": True}))
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    more = forms.CharField(max_length=3)


def focused(form: forms.Form) -> list[str]:
    """The names of the fields that ask for the cursor, each as often as it does."""
    inputs = [str(form[name]) for name in ("key", "name", "more")]
    inputs += [choice.tag() for choice in form["way"]]
    return [
        name
        for tag in inputs
        if " autofocus" in tag
        for name in re.findall(r'name="(\w+)"', tag.split("<")[1])
    ]


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        pytest.param(None, ["name"], id="nothing-sent"),
        pytest.param({"key": 1, "name": "ok", "way": "a", "more": "ok"}, ["name"], id="all-well"),
        pytest.param({"key": 1, "name": "long", "way": "a", "more": "long"}, ["name"], id="two-mistakes"),
        pytest.param(
            {"key": 1, "name": "ok", "way": "a", "more": "long"}, ["more"], id="another-than-at-first"
        ),
        pytest.param(
            {"key": 1, "name": "ok", "way": "z", "more": "ok"}, ["way"], id="one-of-several-buttons"
        ),
        pytest.param({"key": "x", "name": "ok", "way": "a", "more": ""}, ["more"], id="not-a-hidden-one"),
    ],
)
def test_the_cursor_stands_in_the_first_field_with_a_mistake(
    typed: dict[str, object] | None, where: list[str]
) -> None:
    assert focused(Sample(typed)) == where
