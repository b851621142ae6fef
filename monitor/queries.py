"""What pages and JSON read. Nothing here writes, probes, or costs more queries as sites or history grow.

``insider`` is whether the reader has a login: strangers, whom PUBLIC_STATUS lets in, learn nothing of
internal groups, nor of sites that are deleted (whose group nobody knows any more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from django.db import connection
from django.db.models import Avg, Count, Max, Q, QuerySet
from django.utils import timezone

from djamon.lib.charts import MOST_BARS, Bar, Style
from djamon.lib.words import milliseconds
from monitor.appearance import Look, allowed, is_old, up_of
from monitor.models import Group, Site, SiteView
from monitor.verdicts import Verdict

JSON_VIEWS = 10
# Beyond this a count says "more than": the confirmation page must not read a whole table.
COUNT_LIMIT = 100_000

BAR_STYLES: dict[int, Style] = {Verdict.UP: "up", Verdict.DOWN: "down", Verdict.INCONCLUSIVE: "unknown"}


class SiteState(TypedDict):
    """A site in a group's JSON; ``up`` and ``status`` are None where the last run says nothing of it."""

    id: int
    name: str
    slug: str
    url: str
    state: str
    up: bool | None
    status: int | None
    last_checked: datetime | None


class GroupData(TypedDict):
    group: str
    slug: str
    sites: list[SiteState]


class ViewData(TypedDict):
    """One request in a site's JSON; ``date`` with its zone, ``ms`` from the look-up to the headers' end."""

    id: str
    date: datetime
    code: int | None
    up: bool | None
    verdict: str
    reason: str
    ms: float
    verb: str


class SiteData(TypedDict):
    site: str
    slug: str
    views: list[ViewData]


@dataclass(frozen=True, slots=True)
class SiteCard:
    site: Site
    look: Look


class BoardSite(NamedTuple):
    """What home reads of every site, in place of a model: there may be 10,000 of them.

    No moments: to make them Python's takes longer than all else.
    """

    pk: int
    group_id: int
    name: str
    slug: str
    url: str
    enabled: bool
    state: str


class BoardDetails(NamedTuple):
    """What home reads of the sites that it has a row for."""

    state_since: datetime | None
    last_reason: str
    last_ms: float | None
    recent: str
    certificate_ends: datetime | None


NO_DETAILS = BoardDetails(None, "", None, "", None)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A site's last 24 hours; the times are those of good answers, None without any."""

    answers: int
    inconclusive: int
    average_ms: float | None
    slowest_ms: float | None


def board_groups() -> list[Group]:
    return list(Group.objects.order_by("pk"))


def board_sites() -> list[BoardSite]:
    """Every site as home lists it, in no order. One query."""
    rows = Site.objects.order_by().values_list(*BoardSite._fields)
    return [BoardSite._make(row) for row in rows]


def board_details(keys: Sequence[int] | None) -> dict[int, BoardDetails]:
    """The details of these sites, or of all; who is meanwhile gone is not there. One query."""
    rows = Site.objects.all() if keys is None else Site.objects.filter(pk__in=keys)
    found = rows.order_by().values_list("pk", *BoardDetails._fields)
    return {pk: BoardDetails._make(values) for pk, *values in found}


def fallen_since() -> dict[int, datetime | None]:
    """Since when each site is down that is. One query."""
    return dict(Site.objects.filter(state=Site.State.DOWN).order_by().values_list("pk", "state_since"))


def board_stamp() -> object:
    """Equal as long as sites, their details and groups are. Two queries.

    The database's own values, which nobody turns into Python's, are read in a fraction of the time.
    """
    fields = (*BoardSite._fields, *BoardDetails._fields, "last_checked", "interval_min")
    sql, params = Site.objects.order_by("pk").values_list(*fields).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = hash(tuple(cursor.fetchall()))
    return rows, tuple(Group.objects.order_by("pk").values_list("pk", "name", "slug", "internal"))


def old_sites(now: datetime) -> frozenset[int]:
    """The sites that nobody asked lately (monitor.appearance.is_old). One query, as a rule without a row."""
    judged = Site.objects.filter(last_checked__lt=now - allowed(None)).order_by()
    rows = judged.values_list("pk", "last_checked", "interval_min")
    return frozenset(pk for pk, last_checked, interval in rows if is_old(last_checked, interval, now))


def visible_groups(*, insider: bool) -> QuerySet[Group]:
    return Group.objects.all() if insider else Group.objects.filter(internal=False)


def visible_sites(*, insider: bool) -> QuerySet[Site]:
    return Site.objects.all() if insider else Site.objects.filter(group__internal=False)


def find_group(slug: str, *, insider: bool) -> Group | None:
    return visible_groups(insider=insider).filter(slug=slug).first() if _can_be_a_slug(slug) else None


def find_site(slug: str, *, insider: bool) -> Site | None:
    sites = visible_sites(insider=insider).select_related("group")
    return sites.filter(slug=slug).first() if _can_be_a_slug(slug) else None


def group_data(group: Group) -> GroupData:
    """The group's JSON. One query."""
    return {
        "group": group.name,
        "slug": group.slug,
        "sites": [_site_state(site) for site in group.sites.all()],
    }


def site_data(site: Site) -> SiteData:
    """The site's JSON: its last requests, newest first. One query, along the index of site and date."""
    return {
        "site": site.name,
        "slug": site.slug,
        "views": [_view_data(view) for view in site.views.all()[:JSON_VIEWS]],
    }


def recent_bars(site: Site) -> list[Bar]:
    """The last results, the newest last, each as ``05:31:02 HTTP 200 OK, 123 ms``. One query."""
    views = site.views.order_by("-date").values_list("date", "verdict", "reason", "total_ms")[:MOST_BARS]
    return [
        Bar(BAR_STYLES[verdict], f"{timezone.localtime(date):%H:%M:%S} {reason}, {milliseconds(ms)}")
        for date, verdict, reason, ms in reversed(views)
    ]


def day_figures(site: Site, now: datetime) -> DayFigures:
    """Counts of the last 24 hours: one range of the index of site and date, at most one row a minute."""
    up, unsure = Q(verdict=Verdict.UP), Q(verdict=Verdict.INCONCLUSIVE)
    found = site.views.filter(date__gt=now - timedelta(hours=24)).aggregate(
        answers=Count("pk"),
        inconclusive=Count("pk", filter=unsure),
        average_ms=Avg("total_ms", filter=up),
        slowest_ms=Max("total_ms", filter=up),
    )
    return DayFigures(
        answers=found["answers"],
        inconclusive=found["inconclusive"],
        average_ms=found["average_ms"],
        slowest_ms=found["slowest_ms"],
    )


def views_in_words(sites: Sequence[int] | QuerySet[Site], limit: int = COUNT_LIMIT) -> str:
    """How many stored requests go with these sites: ``1,204 results``, counted no further than a limit."""
    count = SiteView.objects.filter(site__in=sites).order_by()[: limit + 1].count()
    if count > limit:
        return f"more than {limit:,} results"
    return f"{count:,} {'result' if count == 1 else 'results'}"


def _can_be_a_slug(word: str) -> bool:
    # PostgreSQL raises at a NUL in a parameter; none of our slugs has one.
    return "\0" not in word


def _site_state(site: Site) -> SiteState:
    return {
        "id": site.pk,
        "name": site.name,
        "slug": site.slug,
        "url": site.url,
        "state": site.shown_state,
        "up": up_of(site),
        "status": site.last_code,
        "last_checked": site.last_checked,
    }


def _view_data(view: SiteView) -> ViewData:
    return {
        "id": str(view.pk),
        "date": view.date,
        "code": view.code,
        "up": view.up,
        "verdict": Verdict(view.verdict).name.lower(),
        "reason": view.reason,
        "ms": round(view.total_ms, 3),
        "verb": view.verb,
    }
