from __future__ import annotations

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, isolate_apps
from hypothesis import given
from hypothesis import strategies as st

from monitor.models import Group
from scripts.unique_slugify import _cut, _slug, unique_slugify


def slug_of(value: object, **how) -> str:
    group = Group(name=str(value))
    unique_slugify(group, value, **how)
    return group.slug


def taken(*slugs: str) -> None:
    Group.objects.bulk_create([Group(name=f"{number}", slug=slug) for number, slug in enumerate(slugs)])


VALUES = {
    "words": ("Front page", "front-page"),
    "accents": ("Café Zürich", "cafe-zurich"),
    "signs": ("a & b (c)!", "a-b-c"),
    "dashes at the ends": ("--_a b_--", "a-b"),
    "underscores inside": ("a_b", "a_b"),
    "an address": ("http://x.example/a?b=c", "httpxexampleabc"),
    "a number": (404, "404"),
    "nothing": ("", "-2"),
    "none": (None, "-2"),
    "only signs": ("!?", "-2"),
    "unicode that slugifies to nothing": ("日本語", "-2"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("value", "slug"), VALUES.values(), ids=VALUES)
def test_the_slug_of(value, slug) -> None:
    assert slug_of(value) == slug


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("case", "slug"),
    [("lower", "front-page"), ("upper", "FRONT-PAGE"), ("", "Front-Page"), ("as is", "Front-Page")],
)
def test_case(case, slug) -> None:
    assert slug_of("Front Page", case=case) == slug


TAKEN = {
    "free": ([], "a-b"),
    "once": (["a-b"], "a-b-2"),
    "twice": (["a-b", "a-b-2"], "a-b-3"),
    "a hole is filled": (["a-b", "a-b-3"], "a-b-2"),
    "a longer one is another": (["a-b-c"], "a-b"),
    "the ninth": (["a-b", *(f"a-b-{n}" for n in range(2, 10))], "a-b-10"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "slug"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken_gets_a_number(rows, slug) -> None:
    taken(*rows)
    assert slug_of("A b") == slug


@pytest.mark.django_db
def test_empty_slugs_are_numbered_too() -> None:
    taken("-2", "-3")
    assert slug_of("日本語") == "-4"


@pytest.mark.django_db
def test_the_separator_stands_between_words_and_before_the_number() -> None:
    taken("a_b")
    assert slug_of("A b", slug_separator="_") == "a_b_2"


@pytest.mark.django_db
def test_a_slug_is_cut_to_its_field() -> None:
    assert slug_of("x" * 100) == "x" * 80
    assert slug_of("x" * 79 + " y") == "x" * 79


@pytest.mark.django_db
def test_the_base_is_shortened_so_that_the_number_fits() -> None:
    taken("x" * 80, *(f"{'x' * 78}-{number}" for number in range(2, 10)))
    assert slug_of("x" * 100) == "x" * 77 + "-10"


@pytest.mark.django_db
def test_the_instance_itself_does_not_count_as_taken() -> None:
    taken("a-b")
    group = Group.objects.get()
    unique_slugify(group, "A b")
    assert group.slug == "a-b"


@pytest.mark.django_db
def test_nothing_is_saved() -> None:
    slug_of("A b")
    assert not Group.objects.exists()


@pytest.mark.django_db
def test_a_queryset_says_where_it_must_be_unique() -> None:
    taken("a-b")
    assert slug_of("A b", queryset=Group.objects.exclude(slug="a-b")) == "a-b"
    assert slug_of("A b", queryset=Group.objects.all()) == "a-b-2"


@pytest.mark.django_db
def test_another_field_may_hold_the_slug() -> None:
    group = Group()
    unique_slugify(group, "A b", slug_field_name="name")
    assert (group.name, group.slug) == ("a-b", "")


@pytest.mark.django_db
def test_a_thousand_equal_names_cost_three_queries() -> None:
    taken("a", *(f"a-{number}" for number in range(2, 1001)))
    with CaptureQueriesContext(connection) as queries:
        assert slug_of("a") == "a-1001"
    assert len(queries) == 3


@pytest.fixture
def tiny():
    """A model whose slugs have two characters, in a table that ends with the test."""
    with isolate_apps("monitor"):

        class Tiny(models.Model):
            slug = models.SlugField(max_length=2)

            class Meta:
                app_label = "monitor"

            def __str__(self) -> str:
                return self.slug

        with connection.schema_editor() as editor:
            editor.create_model(Tiny)
        yield Tiny
        with connection.schema_editor() as editor:
            editor.delete_model(Tiny)


@pytest.mark.django_db(transaction=True)
def test_a_field_that_is_full_ends_in_an_error_not_in_a_loop(tiny) -> None:
    tiny.objects.bulk_create([tiny(slug="ab"), *(tiny(slug=f"-{number}") for number in range(2, 10))])
    with pytest.raises(ValueError, match="2 characters are too few"):
        unique_slugify(tiny(), "ab")


@pytest.mark.django_db(transaction=True)
def test_the_last_free_form_is_found(tiny) -> None:
    tiny.objects.bulk_create([tiny(slug="ab"), *(tiny(slug=f"-{number}") for number in range(2, 9))])
    row = tiny()
    unique_slugify(row, "ab")
    assert row.slug == "-9"


@pytest.mark.parametrize(("value", "slug"), [("日本 語", "日本-語"), ("Straße", "straße"), ("ＡＢ", "ab")])
def test_fields_that_allow_unicode_keep_it(value, slug) -> None:
    assert _slug(value, "-", "lower", unicode=True) == slug


@given(st.text(), st.integers(1, 20), st.sampled_from(["-", "_", "--"]))
def test_a_cut_slug_has_no_separator_at_its_ends(text, length, separator) -> None:
    slug = _cut(_slug(text, separator, "lower", unicode=False), length, separator)
    assert len(slug) <= length
    assert slug.strip("-_") == slug
