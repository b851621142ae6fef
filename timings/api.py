"""The JSON of timings as /api/docs describes it; timings.views answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja import Field, Query, Router, Schema

from djamon.lib.apischemas import ERRORS, InputError
from timings import asked, views
from timings.converters import ANY_KEY

router = Router(tags=["timings"])
KEY = (
    "Percent-encoded where it holds slashes or other signs; or as ?key= of the address without it, which "
    "serves any key: on their way, “..” and “//” may be folded in a path."
)


class KeysIn(Schema):
    """Which keys."""

    detail: str = Field("", description="1: objects with figures.")
    token: str = Field("", description="Only what was sent with this token.")
    q: str = Field("", description="Only keys that hold this text.")


class DetailOut(Schema):
    """What all calls of a key with one token add up to; times in seconds."""

    key: str
    token: str
    count: int
    last_seen: int = Field(description="When its latest call began, in seconds since 1970.")
    mean: float
    p50: float = Field(description="Percentiles are within 1 % of the exact ones.")
    p95: float
    p99: float


class SpanIn(Schema):
    """A range of time, whose ends are both included."""

    range: str = Field("", description=f"Instead of the two: {', '.join(asked.RANGES)}, up to now.")

    start_time: str = Field("", description="Seconds since 1970, ISO 8601, or a date.")
    end_time: str = Field("", description="As start_time; a date means its end.")
    token: str = Field("", description="Only what was sent with this token.")


class CallsIn(SpanIn):
    """A page of calls."""

    limit: str = Field("", description=f"Calls of a page, at most {asked.MOST_CALLS}.")
    cursor: str = Field("", description="From “next” of the page before.")


class SummaryIn(SpanIn):
    """A range in buckets; without start_time the day before end_time, without end_time until now.

    Where calls are very many, or not kept any more, a bucket is no shorter than a minute (an hour, a day).
    """

    buckets: str = Field("", description=f"Most buckets, at most {asked.MOST_BUCKETS}.")


class FiguresIn(SpanIn):
    """A range; without start_time the day before end_time, without end_time until now."""


class FewIn(SpanIn):
    """Some calls of a range."""

    limit: str = Field("", description=f"How many calls, at most {asked.MOST_FEW}.")


class CallsOfIn(CallsIn):
    """A page of the calls of any key."""

    key: str = Field("", description="The key.")


class SummaryOfIn(SummaryIn):
    """A range of any key in buckets."""

    key: str = Field("", description="The key.")


class FiguresOfIn(FiguresIn):
    """A range of any key."""

    key: str = Field("", description="The key.")


class FewOfIn(FewIn):
    """Some calls of any key."""

    key: str = Field("", description="The key.")


class CallsOut(Schema):
    """Calls, oldest first: execution_time (seconds), timestamp, token, and what other fields each brought."""

    key: str
    execution_times: list[dict[str, Any]]
    next: str | None = Field(description="Address of the next page, with the key as ?key=.")


class BucketOut(Schema):
    """The calls of a bucket; times in seconds."""

    start: int
    count: int
    min: float
    mean: float
    p50: float
    p95: float
    p99: float
    max: float


class SummaryOut(Schema):
    """The buckets that have calls, each told whole, also the first and the last."""

    key: str
    start_time: int
    end_time: int
    bucket_s: int
    buckets: list[BucketOut]


class FewOut(Schema):
    """Calls as in the other lists."""

    key: str
    execution_times: list[dict[str, Any]]


class RangeOut(Schema):
    """What the calls of a range add up to; times in seconds, null where there was none.

    The ends are those that are told: of long or old ranges whole minutes, hours or days.
    """

    start_time: int
    end_time: int
    count: int
    per_second: float
    min: float | None
    mean: float | None
    p50: float | None = Field(description="Percentiles are within 1 % of the exact ones.")
    p95: float | None
    p99: float | None
    max: float | None


class FiguresOut(RangeOut):
    """A range, and the one of the same length before it."""

    key: str
    before: RangeOut
    changes: dict[str, float | None] = Field(
        description="Of count, mean, p50, p95, p99 and max, in per cent of what was before."
    )


@router.get("/api/v1/keys/", response={200: list[str] | list[DetailOut], **ERRORS}, summary="Every key")
def keys(request: HttpRequest, asked: Query[KeysIn]) -> HttpResponseBase:  # noqa: ARG001  (only described here)
    return views.keys(request)


CALLS: dict[int, Any] = {200: CallsOut, 400: InputError, **ERRORS}
BUCKETS: dict[int, Any] = {200: SummaryOut, 400: InputError, **ERRORS}
FIGURES: dict[int, Any] = {200: FiguresOut, 400: InputError, **ERRORS}
FEW: dict[int, Any] = {200: FewOut, 400: InputError, **ERRORS}


@router.get("/api/v1/keys/execution_times/", response=CALLS, summary="The calls of a key (?key=)")
def execution_times_of(
    request: HttpRequest,
    asked: Query[CallsOfIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.execution_times(request, request.GET.get("key", ""))


@router.get("/api/v1/keys/summary/", response=BUCKETS, summary="The calls of a key in buckets (?key=)")
def summary_of(
    request: HttpRequest,
    asked: Query[SummaryOfIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.summary(request, request.GET.get("key", ""))


@router.get(
    "/api/v1/keys/figures/", response=FIGURES, summary="A range of a key beside the one before (?key=)"
)
def figures_of(
    request: HttpRequest,
    asked: Query[FiguresOfIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.figures(request, request.GET.get("key", ""))


@router.get("/api/v1/keys/slowest/", response=FEW, summary="The slowest calls of a key (?key=)")
def slowest_of(
    request: HttpRequest,
    asked: Query[FewOfIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.slowest(request, request.GET.get("key", ""))


@router.get("/api/v1/keys/latest/", response=FEW, summary="The last calls of a key (?key=)")
def latest_of(
    request: HttpRequest,
    asked: Query[FewOfIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.latest(request, request.GET.get("key", ""))


@router.get(
    f"/api/v1/keys/{{{ANY_KEY}:key}}/execution_times/",
    response=CALLS,
    summary="The calls of a key",
    description=KEY,
)
def execution_times(request: HttpRequest, key: str, asked: Query[CallsIn]) -> HttpResponseBase:  # noqa: ARG001
    return views.execution_times(request, key)


@router.get(
    f"/api/v1/keys/{{{ANY_KEY}:key}}/summary/",
    response=BUCKETS,
    summary="The calls of a key in buckets",
    description=KEY,
)
def summary(request: HttpRequest, key: str, asked: Query[SummaryIn]) -> HttpResponseBase:  # noqa: ARG001
    return views.summary(request, key)


@router.get(
    f"/api/v1/keys/{{{ANY_KEY}:key}}/figures/",
    response=FIGURES,
    summary="A range of a key beside the one before",
    description=KEY,
)
def figures(request: HttpRequest, key: str, asked: Query[FiguresIn]) -> HttpResponseBase:  # noqa: ARG001
    return views.figures(request, key)


@router.get(
    f"/api/v1/keys/{{{ANY_KEY}:key}}/slowest/",
    response=FEW,
    summary="The slowest calls of a key",
    description=KEY,
)
def slowest(request: HttpRequest, key: str, asked: Query[FewIn]) -> HttpResponseBase:  # noqa: ARG001
    return views.slowest(request, key)


@router.get(
    f"/api/v1/keys/{{{ANY_KEY}:key}}/latest/",
    response=FEW,
    summary="The last calls of a key",
    description=KEY,
)
def latest(request: HttpRequest, key: str, asked: Query[FewIn]) -> HttpResponseBase:  # noqa: ARG001
    return views.latest(request, key)
