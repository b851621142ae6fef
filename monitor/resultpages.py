"""The results of a site, page by page, as far back as they are stored.

A page begins after the result that the last one ended with, and not at a number: a site that is asked each
minute has 130,000 results in 90 days, which nobody counts for a page of twenty, and new ones move none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from djamon.lib.buckets import EPOCH, TimeRange
from monitor.models import Site, SiteView

PER_PAGE = 20
OLDER_THAN, NEWER_THAN = "before", "after"
FIRST = "0.0"  # older than any result: what is newer than this are the oldest
MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Where a result stands: two may have come at the same moment."""

    date: datetime
    key: UUID

    def __str__(self) -> str:
        return f"{(self.date - EPOCH) // MICROSECOND}.{self.key.hex}"


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Some results, newest first, and the queries of the pages around them; empty where there are none."""

    rows: Sequence[SiteView]
    newest: str = ""
    newer: str = ""
    older: str = ""
    oldest: str = ""


def page_of(site: Site, shown: TimeRange | None, query: QueryDict) -> ResultPage:
    """The page that a query asks for, of the range that is shown or of all; at most three queries.

    What is no place counts as none: the newest are shown.
    """
    views = _in_range(site, shown)
    above, below = place_of(query.get(NEWER_THAN, "")), place_of(query.get(OLDER_THAN, ""))
    if above is not None:
        rows = list(newer_than(views, above)[: PER_PAGE + 1])
        rows, has_newer = rows[:PER_PAGE][::-1], len(rows) > PER_PAGE
        has_older = bool(rows) and older_than(views, _place(rows[-1])).exists()
        if not has_newer and has_older:
            above = None  # they are the newest ones: a full page of those
    if above is None:
        rows = list(older_than(views, below)[: PER_PAGE + 1])
        rows, has_older = rows[:PER_PAGE], len(rows) > PER_PAGE
        has_newer = below is not None and bool(rows) and newer_than(views, _place(rows[0])).exists()
    return _page(rows, query, has_newer=has_newer, has_older=has_older)


def older_than(views: QuerySet[SiteView], place: Place | None) -> QuerySet[SiteView]:
    """Newest first. The plain bound on the date is what the index of site and date is read by."""
    if place is not None:
        earlier = Q(date__lt=place.date) | Q(pk__lt=place.key)
        views = views.filter(earlier, date__lte=place.date)
    return views.order_by("-date", "-pk")


def newer_than(views: QuerySet[SiteView], place: Place) -> QuerySet[SiteView]:
    """Oldest first."""
    later = Q(date__gt=place.date) | Q(pk__gt=place.key)
    return views.filter(later, date__gte=place.date).order_by("date", "pk")


def place_of(word: str) -> Place | None:
    """``1793523600000000.0193…``: microseconds since 1970 and a key in hexadecimal; None: rubbish."""
    if not (word.isascii() and len(word) <= 60):
        return None
    moment, _, key = word.partition(".")
    try:
        at = datetime.fromtimestamp(int(moment) // 1_000_000, UTC)
        return Place(at + int(moment) % 1_000_000 * MICROSECOND, UUID(int=int(key, 16)))
    except (ValueError, OverflowError, OSError):
        return None


def _in_range(site: Site, shown: TimeRange | None) -> QuerySet[SiteView]:
    views = site.views.order_by()
    return views.filter(date__gte=shown.start, date__lt=shown.end) if shown else views


def _place(view: SiteView) -> Place:
    return Place(view.date, view.pk)


def _page(rows: Sequence[SiteView], query: QueryDict, *, has_newer: bool, has_older: bool) -> ResultPage:
    if not rows:
        return ResultPage(rows)
    first, last = str(_place(rows[0])), str(_place(rows[-1]))
    return ResultPage(
        rows,
        newest=_query(query) if has_newer else "",
        newer=_query(query, NEWER_THAN, first) if has_newer else "",
        older=_query(query, OLDER_THAN, last) if has_older else "",
        oldest=_query(query, NEWER_THAN, FIRST) if has_older else "",
    )


def _query(query: QueryDict, name: str = "", place: str = "") -> str:
    """What else the address says stays; never empty, as it stands in a link."""
    changed = query.copy()
    for other in (OLDER_THAN, NEWER_THAN, "page"):
        changed.pop(other, None)
    if name:
        changed[name] = place
    return f"?{changed.urlencode()}#results"
