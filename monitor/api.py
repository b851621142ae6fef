"""The monitor's JSON as /api/docs describes it; monitor.views answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from ninja import Field, Router, Schema

from monitor import views

router = Router(tags=["monitor"])


class Error(Schema):
    """What is wrong, in one sentence."""

    error: str


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


ERRORS = {401: Error, 403: Error, 404: Error}


@router.get("/group/{slug}/data.json", response={200: GroupOut, **ERRORS}, summary="The sites of a group")
def group_data(request: HttpRequest, slug: str) -> HttpResponseBase:
    return views.group_data(request, slug)


@router.get(
    "/site/{slug}/data.json", response={200: SiteOut, **ERRORS}, summary="The last requests to a site"
)
def site_data(request: HttpRequest, slug: str) -> HttpResponseBase:
    return views.site_data(request, slug)
