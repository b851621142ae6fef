"""Who may open a stream of events: the rule of json_reader, for connections that Django does not serve."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.db import Error, close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

from accounts.access import json_reader
from djamon.lib.negotiation import json_error
from djamon.lib.streaming import Scope

Audience = Literal["staff", "user", "stranger"]

# A few, however many ask at once: each holds a connection to the database while it works.
_threads = ThreadPoolExecutor(4, thread_name_prefix="stream-gate")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read; ``user_id`` is None for a stranger whom PUBLIC_STATUS lets in."""

    audience: Audience
    user_id: int | None = None


async def reader_gate(scope: Scope) -> Reader | HttpResponse:
    """For djamon.lib.streaming.EventApp; the question goes to the database, so it is asked in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _in_thread, scope)


async def user_gate(scope: Scope) -> Reader | HttpResponse:
    """As reader_gate, but for whoever is logged in alone, whether PUBLIC_STATUS is set or not."""
    return users_only(await reader_gate(scope))


def users_only(found: Reader | HttpResponse) -> Reader | HttpResponse:
    """Refuses a stranger whom PUBLIC_STATUS would let in."""
    is_stranger = isinstance(found, Reader) and found.user_id is None
    return json_error(401, "Log in, or send a token of scope read.") if is_stranger else found


def _in_thread(scope: Scope) -> Reader | HttpResponse:
    """As Django does around each request: the thread outlives what it asked."""
    close_old_connections()
    try:
        return who_reads(scope)
    finally:
        close_old_connections()


def who_reads(scope: Scope) -> Reader | HttpResponse:
    """Who sends this request, or the answer that refuses them."""
    try:
        request = ASGIRequest(dict(scope), BytesIO())
    except UnicodeDecodeError:
        return HttpResponseBadRequest()
    answer = cast(HttpResponse, _gate(request))
    return answer if answer.status_code != 204 else _reader(request)


@convert_exception_to_response
def _gate(request: HttpRequest) -> HttpResponse:
    """204 for a reader. A foreign Host header is refused as Django does it."""
    request.get_host()
    try:
        SessionMiddleware(_admitted).process_request(request)
        AuthenticationMiddleware(_admitted).process_request(request)
        return cast(HttpResponse, _admitted(request))
    except Error:
        # Who watches the database says so in the log; this would say it once for each stream.
        return json_error(503, "The database does not answer.")


@json_reader
def _admitted(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def _reader(request: HttpRequest) -> Reader:
    user = request.user
    if not user.is_authenticated:
        return Reader("stranger")
    return Reader("staff" if user.is_staff else "user", user.pk)
