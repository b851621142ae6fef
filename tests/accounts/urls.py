"""The project's URLs and one view behind each rule of accounts.access."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from accounts.access import json_reader, page_reader, staff_only, user_only
from djamon.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.user}")


def fault(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


urlpatterns = [
    path("", page_reader(answer), name="home"),
    path("page/", page_reader(answer)),
    path("data.json", json_reader(answer)),
    path("staff/", staff_only(answer)),
    path("staff.json", staff_only(answer)),
    path("user/", user_only(answer)),
    path("fault/", fault),
    path("fault.json", fault),
    path("", include("djamon.urls")),
]
