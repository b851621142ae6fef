"""What pages and JSON read. Nothing here writes, probes, or costs more queries as sites or history grow.

``insider`` is whether the reader has a login: strangers, whom PUBLIC_STATUS lets in, learn nothing of
internal groups, nor of sites that are deleted (whose group nobody knows any more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Avg, Count, Max, Q, QuerySet

from monitor.appearance import Look, look_of, up_of
from monitor.models import Group, Site, SiteView
from monitor.verdicts import Verdict

JSON_VIEWS = 10
# How far back the pages of results go: counting all rows of a site that is asked each minute takes too long.
RESULTS_SHOWN = 2000
# Beyond this a count says "more than": the confirmation page must not read a whole table.
COUNT_LIMIT = 100_000


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


@dataclass(frozen=True, slots=True)
class GroupCard:
    group: Group
    cards: list[SiteCard]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A site's last 24 hours; ``up_percent`` of the conclusive answers, None without any."""

    answers: int
    inconclusive: int
    up_percent: float | None
    average_ms: float | None
    slowest_ms: float | None


def groups_with_sites(now: datetime, *, insider: bool) -> list[GroupCard]:
    """All groups by name, in each the worst sites first. Two queries."""
    by_group: dict[int, list[SiteCard]] = {}
    groups = list(visible_groups(insider=insider))
    for site in visible_sites(insider=insider).defer("good_codes", "get_fallback"):
        by_group.setdefault(site.group_id, []).append(SiteCard(site, look_of(site, now)))
    for cards in by_group.values():
        cards.sort(key=lambda card: card.look.rank)
    return [GroupCard(group, by_group.get(group.pk, [])) for group in groups]


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


def results(site: Site) -> QuerySet[SiteView]:
    """The site's last requests, newest first, as far back as pages go."""
    return site.views.order_by("-date")[:RESULTS_SHOWN]


def day_figures(site: Site, now: datetime) -> DayFigures:
    """Counts of the last 24 hours: one range of the index of site and date, at most one row a minute."""
    up, unsure = Q(verdict=Verdict.UP), Q(verdict=Verdict.INCONCLUSIVE)
    found = site.views.filter(date__gt=now - timedelta(hours=24)).aggregate(
        answers=Count("pk"),
        up=Count("pk", filter=up),
        inconclusive=Count("pk", filter=unsure),
        average_ms=Avg("total_ms", filter=up),
        slowest_ms=Max("total_ms", filter=up),
    )
    conclusive = found["answers"] - found["inconclusive"]
    return DayFigures(
        answers=found["answers"],
        inconclusive=found["inconclusive"],
        up_percent=100 * found["up"] / conclusive if conclusive else None,
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
