"""What pages and JSON read. Nothing here writes, probes, or costs more queries as sites or history grow.

``insider`` is whether the reader has a login: strangers, whom PUBLIC_STATUS lets in, learn nothing of
internal groups, nor of sites that are deleted (whose group nobody knows any more).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Avg, Count, Max, Prefetch, Q, QuerySet

from djamon.lib.durations import in_words
from monitor.appearance import Look, look_of, up_of
from monitor.models import Group, Outage, OutageSites, Site, SiteView
from monitor.verdicts import Verdict

JSON_VIEWS = 10
# How far back the pages of results go: counting all rows of a site that is asked each minute takes too long.
RESULTS_SHOWN = 2000
FALLS_OF_A_SITE = 20
FALLS_IN_A_CARD = 3
# Beyond this a count says "more than": the confirmation page must not read a whole table.
COUNT_LIMIT = 100_000
HIDDEN_NAME = "a site that is not public"


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


@dataclass(frozen=True, slots=True)
class FallCard:
    """A fall as this reader may see it; a hidden one has neither link, URL nor reason."""

    fall: OutageSites
    name: str
    hidden: bool
    lasted: str


@dataclass(frozen=True, slots=True)
class OutageCard:
    outage: Outage
    names: list[str]
    more: int
    lasted: str


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


def falls_of(site: Site, now: datetime) -> list[FallCard]:
    """The site's latest falls, newest first, with their outages. One query."""
    falls = site.falls.select_related("outage").order_by("-fell_at", "-pk")[:FALLS_OF_A_SITE]
    return [FallCard(fall, fall.site_name, False, _lasted(fall.fell_at, fall.back_at, now)) for fall in falls]


def outages() -> QuerySet[Outage]:
    """All outages, newest first, along the index of their beginnings."""
    return Outage.objects.all()


def outage_cards(page: Iterable[Outage], now: datetime, *, insider: bool) -> list[OutageCard]:
    """The outages of one page with the first names of each: three queries in all."""
    first = OutageSites.objects.select_related("site__group").order_by("fell_at", "pk")[:FALLS_IN_A_CARD]
    ids = [outage.pk for outage in page]
    found = Outage.objects.filter(pk__in=ids).prefetch_related(
        Prefetch("falls", first, to_attr="first_falls")
    )
    per_outage = OutageSites.objects.filter(outage_id__in=ids).order_by().values("outage_id")
    counts = dict(per_outage.annotate(count=Count("pk")).values_list("outage_id", "count"))
    return [_outage_card(outage, counts.get(outage.pk, 0), now, insider=insider) for outage in found]


def find_outage(pk: int | None) -> Outage | None:
    """The outage with this number; without one, the outage that is open."""
    wanted = Q(resolved_at__isnull=True) if pk is None else Q(pk=pk)
    return Outage.objects.filter(wanted).first()


def falls_in(outage: Outage) -> QuerySet[OutageSites]:
    """Who fell in the outage, in the order of falling."""
    return outage.falls.select_related("site__group").order_by("fell_at", "pk")


def fall_cards(falls: Iterable[OutageSites], now: datetime, *, insider: bool) -> list[FallCard]:
    return [_fall_card(fall, now, insider=insider) for fall in falls]


def lasted(outage: Outage, now: datetime) -> str:
    """How long the outage lasted, or has lasted so far, in words."""
    return _lasted(outage.opened_at, outage.resolved_at, now)


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


def _outage_card(outage: Outage, falls: int, now: datetime, *, insider: bool) -> OutageCard:
    first: list[OutageSites] = outage.first_falls  # type: ignore[attr-defined]  # the prefetch's to_attr
    names = list(dict.fromkeys(_fall_card(fall, now, insider=insider).name for fall in first))
    return OutageCard(outage, names, falls - len(first), lasted(outage, now))


def _fall_card(fall: OutageSites, now: datetime, *, insider: bool) -> FallCard:
    hidden = not insider and (fall.site is None or fall.site.group.internal)
    name = HIDDEN_NAME if hidden else fall.site_name
    return FallCard(fall, name, hidden, _lasted(fall.fell_at, fall.back_at, now))


def _lasted(start: datetime, end: datetime | None, now: datetime) -> str:
    return in_words(((end or now) - start).total_seconds())
