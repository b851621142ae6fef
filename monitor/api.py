"""The monitor's JSON as /api/docs describes it; monitor.views answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from ninja import Field, Query, Router, Schema

from djamon.lib.apischemas import ERRORS, InputError
from monitor import views

router = Router(tags=["monitor"])


class SiteOfGroup(Schema):
    """A site with its current state."""

    id: int
    name: str
    slug: str
    url: str
    state: Literal["up", "failing", "down", "unknown", "paused"]
    up: bool | None = Field(description="What the last answer says; null: unknown, paused or inconclusive.")
    status: int | None = Field(description="The last HTTP status code; null where there was none.")
    last_checked: datetime | None


class GroupOut(Schema):
    """A group with all of its sites, by name."""

    group: str
    slug: str
    sites: list[SiteOfGroup]


class ViewOut(Schema):
    """One request to a site and what came back."""

    id: UUID
    date: datetime
    code: int | None
    up: bool | None
    verdict: Literal["up", "down", "inconclusive"]
    reason: str = Field(description="In words, such as: connection refused.")
    ms: float = Field(description="Milliseconds from the look-up of the name to the end of the headers.")
    verb: Literal["HEAD", "GET"]


class SiteOut(Schema):
    """A site with its last requests, newest first."""

    site: str
    slug: str
    views: list[ViewOut] = Field(max_length=10)


class RangeIn(Schema):
    """A range of time; whatever it says is text here, so that it is refused in our words."""

    range: str = Field("", description="1h, 24h, 7d, 30d or 90d; with nothing given 24h.")
    begin: str = Field(
        "", alias="from", description="ISO 8601, a date, or seconds since 1970 (nine digits or more)."
    )
    end: str = Field("", alias="to", description="As from; without it until now. At most 90 days.")


class LineOut(Schema):
    """One figure over the moments of ``at``; milliseconds are those of good answers."""

    key: Literal[
        "lookup_ms",
        "connect_ms",
        "tls_ms",
        "wait_ms",
        "unsplit_ms",
        "average_ms",
        "slowest_ms",
        "requests",
    ] = Field(
        description="Phases that nobody measured are left out. unsplit_ms is the average where no phases are "
        "known, if they are elsewhere in the range; slowest_ms and requests come with buckets."
    )
    name: str
    unit: Literal["ms", ""]
    look: Literal["stacked", "area", "optional", "told"] = Field(description="How the page draws it.")
    colour: int = Field(description="Which of the page's colours it has.")
    values: list[float | None] = Field(description="null: no good answer, or not known.")


class MarkOut(Schema):
    """Where requests failed, and why."""

    at: datetime
    text: str


class AreaOut(Schema):
    """When the site was down; ``to`` is null while it is."""

    begin: datetime = Field(alias="from")
    end: datetime | None = Field(alias="to")
    text: str


class TimesOut(Schema):
    """A site's response times over a range, in at most 500 points."""

    site: str
    slug: str
    range: Literal["1h", "24h", "7d", "30d", "90d"] | None
    begin: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    zone: str = Field(description="The time zone of the pages, in which a day begins.")
    bucket_s: int | None = Field(description="How long a point is, in seconds; null: each is one request.")
    title: str
    summary: str
    at: list[datetime] = Field(max_length=500)
    lines: list[LineOut]
    marks: list[MarkOut]
    areas: list[AreaOut]


@router.get("/group/{slug}/data.json", response={200: GroupOut, **ERRORS}, summary="The sites of a group")
def group_data(request: HttpRequest, slug: str) -> HttpResponseBase:
    return views.group_data(request, slug)


@router.get(
    "/site/{slug}/data.json", response={200: SiteOut, **ERRORS}, summary="The last requests to a site"
)
def site_data(request: HttpRequest, slug: str) -> HttpResponseBase:
    return views.site_data(request, slug)


@router.get(
    "/site/{slug}/times.json",
    response={200: TimesOut, 400: InputError, **ERRORS},
    summary="The response times of a site over a range",
    by_alias=True,
)
def site_times(
    request: HttpRequest,
    slug: str,
    asked: Query[RangeIn],  # noqa: ARG001  (only described here)
) -> HttpResponseBase:
    return views.site_times(request, slug)  # which reads the query itself, as the page does
