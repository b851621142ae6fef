from __future__ import annotations

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory

from djamon import error_pages

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

BROKEN = "Something went wrong on our side. It is in the log."


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [("/no/such/page/", 404, "Not found"), ("/fault/", 500, "Server error")],
)
def test_an_error_is_a_page_in_our_layout(browser, path, status, heading) -> None:
    answer = browser.get(path)
    page = answer.content.decode()
    assert (answer.status_code, f"<title>{heading} – Djamon</title>" in page) == (status, True)
    assert 'id="content"' in page
    assert "Content-Security-Policy" in answer


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/no/such/data.json", 404, "There is nothing at this address."),
        ("/api/no/such", 404, "There is nothing at this address."),
        ("/fault.json", 500, BROKEN),
    ],
)
def test_an_error_is_json_where_data_were_asked_for(browser, path, status, error) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_what_is_too_large_for_a_form_is_told_the_limit_and_how_to_go_on(browser) -> None:
    answer = browser.post("/login/", {"username": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    page = answer.content.decode()
    assert (answer.status_code, "A form takes at most 8 MB of text" in page) == (413, True)
    assert "manage.py import_sites FILE" in page


def test_an_error_is_json_for_whoever_prefers_it(browser) -> None:
    answer = browser.get("/fault/", headers={"Accept": "application/json"})
    assert answer.json() == {"error": BROKEN}


@pytest.mark.parametrize(
    ("handler", "error", "said"),
    [
        (error_pages.page_not_found, Http404("There is no site x."), "There is no site x."),
        (error_pages.page_not_found, Http404(), "There is nothing at this address."),
        (error_pages.permission_denied, PermissionDenied("Not today."), "Not today."),
        (error_pages.permission_denied, PermissionDenied(), "You may not do this."),
        (error_pages.page_not_found, Http404("<script>"), "&lt;script&gt;"),
    ],
)
def test_a_view_may_say_why(handler, error, said) -> None:
    assert said in handler(RequestFactory().get("/"), error).content.decode()


def test_a_strange_host_is_told_which_setting_matters(browser) -> None:
    answer = browser.get("/login/", headers={"Host": "evil.example"})
    assert (answer.status_code, "ALLOWED_HOSTS" in answer.content.decode()) == (400, True)


@pytest.mark.django_db(databases=[])
def test_a_fault_is_told_without_the_database() -> None:
    """The test has no database: a query would fail it."""
    answer = error_pages.server_error(RequestFactory().get("/"))
    assert (answer.status_code, BROKEN in answer.content.decode()) == (500, True)


def test_what_failed_is_not_shown(browser) -> None:
    assert "a bug" not in browser.get("/fault/").content.decode()
