"""The staff's forms: the models' rules, each at its field."""

from __future__ import annotations

import pytest

from monitor.forms import GroupForm, SiteForm
from tests.monitor.factories import make_group, make_site

pytestmark = pytest.mark.django_db


def site_form(**typed) -> SiteForm:
    data = {"group": make_group().pk, "name": "Shop", "url": "http://shop.example/"}
    return SiteForm(data | typed)


DIRECTION = "A name closes the marks of writing direction that it opens (U+2066 to U+2069)."


@pytest.mark.parametrize(
    ("field", "typed", "error"),
    [
        ("name", "", "This field is required."),
        ("name", " \u200b ", "A name needs at least one visible character."),
        ("name", "a\tb", "A name has no line breaks or control characters."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("name", "\u2067x", DIRECTION),
        ("name", "a\u2069\u202e\u2068", DIRECTION),
        ("name", "x" * 256, "The text has at most 255 characters; this one has 256."),
        ("url", "http:/x", "The URL names no host."),
        ("url", "javascript:alert(1)", "The URL starts with neither http:// nor https://."),
        (
            "url",
            "http://me:secret@x/",
            "A URL with a user name or password would show it to everybody; leave it out.",
        ),
        ("interval_min", "0", "Ensure this value is greater than or equal to 1."),
        ("interval_min", "often", "Enter a whole number."),
        ("good_codes", "2xx", "'2xx' is not an HTTP status code (100 to 599)."),
        ("good_codes", "20,999,200,abc", "'20', '999', 'abc' are not HTTP status codes (100 to 599)."),
        ("group", "0", "Select a valid choice. That choice is not one of the available choices."),
    ],
)
def test_a_bad_value_is_named_at_its_field(field: str, typed: str, error: str) -> None:
    form = site_form(**{field: typed})
    assert form.errors == {field: [error]}


@pytest.mark.parametrize(
    "name", ["<b>&", "🚀", "مرحبا", "\u202ex", "\u2067x\u2069", "x" * 255, "=1+1", "日本"]
)
def test_names_may_have_any_script(name: str) -> None:
    assert site_form(name=name).is_valid()


def test_a_name_is_taken_within_its_group_only() -> None:
    site = make_site(name="Shop")
    assert site_form(group=site.group.pk).errors == {"name": ["The group has a site of this name."]}
    assert site_form().is_valid()


def test_a_site_may_keep_its_own_name() -> None:
    site = make_site(name="Shop")
    data = {"group": site.group.pk, "name": "Shop", "url": "http://new.example/"}
    assert SiteForm(data, instance=site).is_valid()


def test_a_group_name_is_taken_once() -> None:
    make_group(name="Web")
    assert GroupForm({"name": "Web"}).errors == {"name": ["There is a group of this name."]}


@pytest.mark.parametrize(("stored", "typed"), [("Shop", "shop"), ("Shop", "SHOP"), ("Straße", "STRASSE")])
def test_a_group_name_differs_in_more_than_case(stored, typed) -> None:
    group = make_group(name=stored)
    sentence = f"There is a group <bdi>{stored}</bdi>, which differs in upper and lower case alone."
    assert GroupForm({"name": typed}).errors == {"name": [sentence]}
    assert GroupForm({"name": typed}, instance=group).is_valid()


def test_names_that_differ_in_case_and_are_there_already_may_stay() -> None:
    make_group(name="Shop")
    old = make_group(name="shop")
    assert GroupForm({"name": "shop", "internal": "on"}, instance=old).is_valid()
    assert not GroupForm({"name": "SHOP"}, instance=old).is_valid()


def test_the_name_in_a_refusal_is_text() -> None:
    make_group(name="<b>x")
    assert "&lt;b&gt;x" in str(GroupForm({"name": "<B>X"})["name"].errors)


def test_the_widget_of_a_bad_value_is_marked_and_tied_to_its_error() -> None:
    html = str(site_form(url="http:/x")["url"])
    assert 'class="form-control is-invalid"' in html
    assert 'aria-describedby="id_url_error"' in html
    assert "is-invalid" not in str(site_form()["url"])
