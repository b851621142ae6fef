"""JSON and pages of timings: parse, ask timings.queries, show."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import json_user
from djamon.lib.negotiation import json_error
from timings import asked, comparing, queries
from timings.asked import Refused

NO_KEY = "No function with this key has sent anything. Keys that a path cannot hold are given as ?key=."

_encode = msgspec.json.Encoder().encode


def _refusing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view whose parameters may be refused, by their names."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            return json_error(400, refused.error, refused.field)

    return answered


# --- JSON ----------------------------------------------------------------------------------------
@never_cache
@require_safe
@json_user
def keys(request: HttpRequest) -> HttpResponse:
    """Every key; with ``detail`` every series with its figures."""
    token, q = request.GET.get("token", ""), request.GET.get("q", "")
    if "\0" in token or "\0" in q:
        return _json([])
    detailed = request.GET.get("detail", "") not in {"", "0", "false"}
    return _json(queries.details(token, q) if detailed else queries.keys(token, q))


@never_cache
@require_safe
@json_user
@_refusing
def execution_times(request: HttpRequest, key: str) -> HttpResponse:
    """The calls of a key in a range, oldest first, a page at a time."""
    span = asked.span(request.GET, timezone.get_current_timezone(), int(time.time()))
    limit = asked.number(request.GET, "limit", asked.DEFAULT_LIMIT, asked.MOST_CALLS)
    after = asked.place(request.GET)
    series = queries.series_of(key, request.GET.get("token", ""))
    if not series:
        return json_error(404, NO_KEY)
    found = queries.calls(list(series), span.start, span.end, limit, after)
    following = _next(request, key, found.next) if found.next else None
    return _json({"key": key, "execution_times": _told(found, series), "next": following})


@never_cache
@require_safe
@json_user
@_refusing
def summary(request: HttpRequest, key: str) -> HttpResponse:
    """A range of a key in buckets: what the graphs read."""
    now = int(time.time())
    shown = asked.shown(asked.span(request.GET, timezone.get_current_timezone(), now), now)
    most = asked.number(request.GET, "buckets", asked.DEFAULT_BUCKETS, asked.MOST_BUCKETS)
    series = queries.series_of(key, request.GET.get("token", ""))
    if not series:
        return json_error(404, NO_KEY)
    least = queries.grain_of(list(series), shown.start, shown.end, now)
    grid = queries.grid_of(shown.start, shown.end, most, least)
    buckets = queries.summary(list(series), shown.start, shown.end, grid)
    span_told = {"start_time": shown.start, "end_time": shown.end, "bucket_s": grid.size}
    return _json({"key": key, **span_told, "buckets": buckets})


@never_cache
@require_safe
@json_user
@_refusing
def figures(request: HttpRequest, key: str) -> HttpResponse:
    """What the calls of a range add up to, and those of the range before it."""
    now = int(time.time())
    shown = asked.shown(asked.span(request.GET, timezone.get_current_timezone(), now), now)
    series = queries.series_of(key, request.GET.get("token", ""))
    if not series:
        return json_error(404, NO_KEY)
    return _json({"key": key, **comparing.compared(list(series), shown, now).as_json()})


@never_cache
@require_safe
@json_user
@_refusing
def slowest(request: HttpRequest, key: str) -> HttpResponse:
    """The slowest calls of a range."""
    now = int(time.time())
    return _few(request, key, lambda ids, span, most: queries.slowest(ids, span.start, span.end, most, now))


@never_cache
@require_safe
@json_user
@_refusing
def latest(request: HttpRequest, key: str) -> HttpResponse:
    """The last calls of a range."""
    return _few(request, key, lambda ids, span, most: queries.latest(ids, span.start, span.end, most))


def _few(
    request: HttpRequest, key: str, ask: Callable[[list[int], asked.Span, int], queries.Calls]
) -> HttpResponse:
    span = asked.span(request.GET, timezone.get_current_timezone(), int(time.time()))
    limit = asked.number(request.GET, "limit", asked.DEFAULT_FEW, asked.MOST_FEW)
    series = queries.series_of(key, request.GET.get("token", ""))
    if not series:
        return json_error(404, NO_KEY)
    return _json({"key": key, "execution_times": _told(ask(list(series), span, limit), series)})


class ToldCall(msgspec.Struct, frozen=True, gc=False):
    """A call without other fields: encoded in half the time of a dictionary."""

    execution_time: float
    timestamp: int
    token: str


def _told(found: queries.Calls, tokens: dict[int, str]) -> Sequence[ToldCall | dict[str, Any]]:
    bare = [ToldCall(took, ts, tokens[series]) for ts, _seq, series, took in found.page]
    if not found.extras:
        return bare
    keys = [(series, ts, seq) for ts, seq, series, _took in found.page]
    return [_with(found.extras.get(key), call) for key, call in zip(keys, bare, strict=True)]


def _with(extra: str | None, call: ToldCall) -> ToldCall | dict[str, Any]:
    """The other fields cannot hide the standard ones."""
    if extra is None:
        return call
    fields: dict[str, Any] = msgspec.json.decode(extra)
    return fields | msgspec.structs.asdict(call)


def _next(request: HttpRequest, key: str, end: queries.Place) -> str:
    """The address of the next page; as a parameter, the key is in nobody's way."""
    query = request.GET.dict() | {"key": key, "cursor": asked.cursor(end)}
    return f"{reverse('execution_times_of')}?{urlencode(query)}"


def _json(body: Any) -> HttpResponse:
    return HttpResponse(_encode(body), content_type="application/json")
