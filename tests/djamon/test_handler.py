"""The web process' Django: one thread for a request, none for a static file."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from djamon.lib.handler import Handler

threads: list[int] = []


def noting(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        threads.append(threading.get_ident())
        answer: HttpResponse = get_response(request)
        threads.append(threading.get_ident())
        return answer

    return middleware


def view(_request: HttpRequest) -> HttpResponse:
    threads.append(threading.get_ident())
    return HttpResponse("seen")


def fault(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a fault of ours")


urlpatterns = [path("seen/", view), path("fault/", fault)]


@pytest.fixture
def handler(settings, tmp_path) -> Handler:
    (tmp_path / "site.css").write_text("a {}")
    threads.clear()
    settings.ROOT_URLCONF = __name__
    settings.STATIC_ROOT = tmp_path
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE[:3], f"{__name__}.noting"]
    return Handler()


def ask(
    handler: Handler, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, as a server gets them."""

    async def asked() -> tuple[int, dict[str, str], bytes]:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"localhost"), *((k.encode(), v.encode()) for k, v in headers.items())],
        }
        client = ApplicationCommunicator(handler, scope)
        await client.send_input({"type": "http.request", "body": b""})
        start, body, more = await client.receive_output(), b"", True
        while more:
            part = await client.receive_output()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        await client.wait()
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return start["status"], found, body

    return asyncio.run(asked())


def test_all_of_a_request_happens_on_one_thread_beside_the_event_loop(handler) -> None:
    assert ask(handler, "/seen/")[::2] == (200, b"seen")
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


def test_a_static_file_takes_no_thread_and_bears_the_headers_of_a_page(handler) -> None:
    status, headers, body = ask(handler, "/static/site.css")
    assert (status, body, threads) == (200, b"a {}", [])
    page = ask(handler, "/seen/")[1]
    names = {"content-security-policy", "x-content-type-options", "referrer-policy"}
    assert {name: headers[name] for name in names} == {name: page[name] for name in names}
    assert headers["content-type"].startswith("text/css")


def test_a_static_file_that_a_browser_has_is_not_sent_again(handler) -> None:
    etag = ask(handler, "/static/site.css")[1]["etag"]
    assert ask(handler, "/static/site.css", **{"if-none-match": etag})[::2] == (304, b"")


@pytest.mark.parametrize(("path", "status"), [("/static/nothing.css", 404), ("/nowhere/", 404)])
def test_what_there_is_not_is_a_page_of_its_own(handler, path, status) -> None:
    assert ask(handler, path)[0] == status


def test_a_fault_in_a_view_is_answered(handler, settings) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    assert ask(handler, "/fault/")[0] == 500
