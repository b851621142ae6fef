"""The JSON API of all apps as one: its description at /api/openapi.json, its page at /api/docs.

An app brings a ninja Router whose operations carry their whole path. Who may call one is decided by the
decorators of accounts.access at the view; every refusal, ours or the framework's, is ``{"error": …}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts.access import json_reader
from djamon import __version__
from djamon.lib.negotiation import json_error
from monitor.api import router as monitor_router
from timings.api import router as timings_router

DESCRIPTION = (
    "Log in, or send a token of scope read as `Authorization: Bearer …`. Every refusal is an object with "
    "`error`, one sentence, and where one input is to blame `field`, its name."
)
api = NinjaAPI(
    title="Djamon",
    version=__version__,
    description=DESCRIPTION,
    docs_url=None,
    openapi_url=None,
    openapi_extra={"security": [{"token": []}, {"session": []}]},
)
api.add_router("", monitor_router)
api.add_router("", timings_router)

SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}


@api.exception_handler(ValidationError)
def _unusable_input(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    return json_error(422, str(first["msg"]), str(first["loc"][-1]))


@api.exception_handler(HttpError)
def _refused(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return json_error(error.status_code, error.message)


@api.exception_handler(Http404)
def _not_found(_request: HttpRequest, error: Http404) -> HttpResponse:
    return json_error(404, str(error) or "There is nothing at this address.")


@require_safe
@json_reader
def openapi(_request: HttpRequest) -> HttpResponse:
    """The OpenAPI description of every JSON endpoint."""
    schema: dict[str, Any] = api.get_openapi_schema(path_prefix="")
    schema["components"]["securitySchemes"] = SECURITY_SCHEMES
    return JsonResponse(schema)


@require_safe
@login_required  # not user_only: below /api/ that answers strangers in JSON, and this is a page
def docs(request: HttpRequest) -> HttpResponse:
    """The description as a page on which each endpoint can be tried."""
    return render(request, "api_docs.html")


def _operations() -> Iterator[URLPattern]:
    """The routes of all routers under their own names, without the framework's empty root."""
    for pattern in api.urls[0]:
        if isinstance(pattern, URLPattern) and pattern.name != "api-root":
            yield path(str(pattern.pattern), _wrong_method_in_json(pattern.callback), name=pattern.name)


def _wrong_method_in_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A method that an operation does not have is the one refusal that the framework words itself.

    HEAD is answered as GET; the server leaves the body out.
    """

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "HEAD":
            request.method = "GET"
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        refusal = json_error(405, f"{request.method} is not possible here.")
        refusal["Allow"] = response["Allow"]
        return refusal

    return answered


urlpatterns = [
    path("api/docs", docs, name="api_docs"),
    path("api/openapi.json", openapi, name="openapi"),
    *_operations(),
]
