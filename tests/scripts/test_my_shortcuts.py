from __future__ import annotations

import enum
import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import TextChoices
from django.test import RequestFactory
from django.utils.functional import lazystr

from monitor.models import Group
from scripts.my_shortcuts import HttpResponseJson, paginate, render_to_hxr_response, render_to_json


class Colour(enum.Enum):
    RED = "red"


class Word(TextChoices):
    UP = "up", "is up"


SERIALISED = {
    "dict": ({"a": 1}, {"a": 1}),
    "list": ([1, None, True], [1, None, True]),
    "empty list": ([], []),
    "unicode": ({"name": "Café"}, {"name": "Café"}),
    "time": ([datetime(2026, 3, 2, 12, 30, tzinfo=UTC)], ["2026-03-02T12:30:00Z"]),
    "date": ([date(2026, 3, 2)], ["2026-03-02"]),
    "uuid": ([uuid.UUID(int=1)], ["00000000-0000-0000-0000-000000000001"]),
    "decimal": ([Decimal("1.50")], ["1.50"]),
    "enum": ({"colour": Colour.RED}, {"colour": "red"}),
    "choice": ([Word.UP], ["up"]),
    "lazy text": ([lazystr("text")], ["text"]),
}


@pytest.mark.parametrize(("obj", "read"), SERIALISED.values(), ids=SERIALISED)
def test_a_dict_or_list_becomes_json(obj, read) -> None:
    answer = HttpResponseJson(obj)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.content) == read


@pytest.mark.parametrize("obj", ["text", 1, None, (1, 2), {1}], ids=repr)
def test_nothing_else_does(obj) -> None:
    with pytest.raises(TypeError, match="a dict or a list"):
        HttpResponseJson(obj)


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=repr)
def test_what_is_no_json_fails_here_and_not_in_the_browser(number) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        HttpResponseJson([number])


def test_a_json_response_may_have_another_status() -> None:
    assert HttpResponseJson({"error": "gone"}, status=410).status_code == 410


PAGES = {
    "the first": ("1", 1),
    "the second": (2, 2),
    "the last": ("3", 3),
    "past the end": ("4", 3),
    "far past the end": ("99999999999999999999", 3),
    "with spaces": (" 2 ", 2),
    "none": (None, 1),
    "empty": ("", 1),
    "a word": ("last", 1),
    "zero": ("0", 1),
    "negative": ("-1", 1),
    "a fraction": ("1.5", 1),
    "a float": (1.5, 1),
    "infinity": (float("inf"), 1),
    "a superscript": ("²", 1),
    "a list": ([2], 1),
}


@pytest.mark.parametrize(("page", "number"), PAGES.values(), ids=PAGES)
def test_a_page_of_a_list(page, number) -> None:
    assert paginate("abcdefg", 3, page).number == number


def test_a_page_holds_its_objects() -> None:
    assert list(paginate("abcdefg", 3, 3)) == ["g"]
    assert list(paginate([], 3, 7)) == []


@pytest.mark.parametrize("num", [0, -3])
def test_a_page_holds_one_object_at_least(num: int) -> None:
    assert list(paginate("abc", num, 2)) == ["b"]


@pytest.mark.django_db
def test_a_page_of_a_queryset() -> None:
    Group.objects.bulk_create([Group(name=f"g{number}", slug=f"g{number}") for number in range(5)])
    assert [group.name for group in paginate(Group.objects.all(), 2, "2")] == ["g2", "g3"]


@pytest.mark.parametrize(
    ("shortcut", "content_type"),
    [(render_to_json, "application/json"), (render_to_hxr_response, "text/html; charset=utf-8")],
    ids=["json", "fragment"],
)
def test_rendered_answers_have_their_type_and_are_never_cached(shortcut, content_type) -> None:
    answer = shortcut(RequestFactory().get("/"), "includes/state.html", {"state": "up"}, status=202)
    assert (answer.status_code, answer["Content-Type"]) == (202, content_type)
    assert b'class="state state-up">up<' in answer.content
    assert {"no-store", "max-age=0"} <= set(answer["Cache-Control"].split(", "))
