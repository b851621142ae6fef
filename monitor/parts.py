"""Pages that follow what happens while they are open: the page, and the part of it that an open one asks for.

The part is made of the page's own templates, in pieces with ids; static/djamon/renew.js puts them in. Where
it is the same for all readers of a kind, it is made once for all who ask for it at the same mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode

from djamon.lib import hooks
from djamon.lib.sharing import Shared
from monitor.marks import Frame, Subject, frame_at, mark_of

# The mark that the part is asked for at; a page is asked for without.
PART_HEADER = "X-Part"
LONGEST_MARK = 40
STREAM = "/events/sites"

Audience = Literal["staff", "user", "stranger"]
Context = Mapping[str, Any]

shared: Shared[str] = Shared()


@dataclass(frozen=True, slots=True)
class Live:
    """What a page knows of itself: where its part is, the stream that tells of it, and how it was drawn.

    Where a part bears another ``page``, the address stands for something else now.
    """

    address: str
    events: str
    mark: str
    page: str


@dataclass(frozen=True, slots=True)
class LivePage:
    """A page by its template's name; ``is_personal``: what its part shows is for this person alone."""

    name: str
    subject: Subject
    address: str
    is_personal: bool = False

    @property
    def page(self) -> str:
        return f"{self.name} {self.subject.key}"


def answer(request: HttpRequest, page: LivePage, context: Callable[[Frame], Context]) -> HttpResponse:
    """The page, or where its part is asked for that; ``context`` is what reads all that is shown."""
    if is_part(request):
        response = HttpResponse(_part(request, page, lambda: context(_frame_of(request))))
        add_never_cache_headers(response)
        return response
    frame = _frame_of(request)
    mark = mark_of(page.subject, frame)  # before all that the page shows
    events = f"{STREAM}?{urlencode({str(page.subject.kind): page.subject.key})}"
    live = Live(page.address, events, mark, page.page)
    return render(request, f"monitor/{page.name}.html", {**context(frame), "live": live})


def _frame_of(request: HttpRequest) -> Frame:
    return frame_at(timezone.now(), hooks.said_in(request))


def is_part(request: HttpRequest) -> bool:
    return PART_HEADER in request.headers


def audience_of(request: HttpRequest) -> Audience:
    if not request.user.is_authenticated:
        return "stranger"
    return "staff" if request.user.is_staff else "user"


def _part(request: HttpRequest, page: LivePage, context: Callable[[], Context]) -> str:
    def made() -> str:
        live = Live("", "", "", page.page)
        return render_to_string(f"monitor/_{page.name}.html", {**context(), "live": live}, request)

    mark = request.headers[PART_HEADER][:LONGEST_MARK]
    if page.is_personal or not mark:
        return made()
    return shared.get((page.address, request.GET.urlencode(), audience_of(request), mark), made)
