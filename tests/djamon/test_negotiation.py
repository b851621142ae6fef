from __future__ import annotations

import json

import pytest
from django.test import RequestFactory

from djamon.lib.negotiation import json_error, wants_json

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CASES = {
    "a browser": ("/site/a/", BROWSER, False),
    "nothing said": ("/site/a/", None, False),
    "anything": ("/site/a/", "*/*", False),
    "json": ("/site/a/", "application/json", True),
    "json first": ("/site/a/", "application/json, text/html;q=0.5", True),
    "json last": ("/site/a/", "application/json;q=0.5, text/html", False),
    "neither": ("/site/a/", "image/png", False),
    "nonsense": ("/site/a/", ";;;", False),
    "an address of data": ("/site/a/data.json", BROWSER, True),
    "the api": ("/api/sites", None, True),
    "json in the middle": ("/a.json/b/", None, False),
}


@pytest.mark.parametrize(("path", "accept", "json_wanted"), CASES.values(), ids=CASES)
def test_who_wants_json(path, accept, json_wanted) -> None:
    headers = {} if accept is None else {"Accept": accept}
    assert wants_json(RequestFactory().get(path, headers=headers)) == json_wanted


@pytest.mark.parametrize(
    ("field", "body"),
    [(None, {"error": "Not found."}), ("name", {"error": "Not found.", "field": "name"})],
    ids=["plain", "with the field"],
)
def test_the_one_error_shape(field, body) -> None:
    answer = json_error(404, "Not found.", field)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert json.loads(answer.content) == body
