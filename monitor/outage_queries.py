"""What the pages of outages read. Nothing here writes, or costs more queries as outages, falls or sites grow.

``insider`` is whether the reader has a login: strangers, whom PUBLIC_STATUS lets in, learn nothing of
internal groups, nor of sites that are deleted (whose group nobody knows any more).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Func, OuterRef, Q, QuerySet, Subquery

from djamon.lib.durations import in_words
from monitor.models import Group, Outage, OutageSites, Site

FALLS_OF_A_SITE = 20
FALLS_IN_A_CARD = 3
# A choice of more is no choice: sites are then found by their names.
PLACES_OFFERED = 150
HIDDEN_NAME = "a site that is not public"


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
    reason: str  # of the first fall that is shown; empty where it is hidden
    lasted: str


@dataclass(frozen=True, slots=True)
class Place:
    pk: int
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    """Groups and sites by their slugs, to choose from."""

    groups: dict[str, Place]
    sites: dict[str, Place]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; ``since`` (inclusive) and ``until`` (exclusive): when it went on."""

    state: str = ""  # "open", "over" or both
    group: int | None = None
    site: int | None = None
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def names_falls(self) -> bool:
        """Whether they speak of who fell, not only of the outage."""
        return bool(self.name) or self.group is not None or self.site is not None


def falls_of(site: Site, now: datetime) -> list[FallCard]:
    """The site's latest falls, newest first, with their outages. One query."""
    falls = site.falls.select_related("outage").order_by("-fell_at", "-pk")[:FALLS_OF_A_SITE]
    return [FallCard(fall, fall.site_name, False, _lasted(fall.fell_at, fall.back_at, now)) for fall in falls]


def places(group: str, site: str, *, insider: bool) -> Places:
    """What the list can be filtered by: some groups and sites, and in any case those with the given slugs."""
    groups = Group.objects.all() if insider else Group.objects.filter(internal=False)
    return Places(_some(groups, group), _some(_visible_sites(insider=insider), site))


def outages(filters: Filters, *, insider: bool) -> QuerySet[Outage]:
    """The outages that match, newest first, along the index of their beginnings."""
    found = Outage.objects.all()
    if filters.state:
        found = found.filter(resolved_at__isnull=filters.state == "open")
    if filters.until:
        found = found.filter(opened_at__lt=filters.until)
    if filters.since:
        found = found.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=filters.since))
    if filters.names_falls:
        found = found.filter(pk__in=_falls(filters, insider=insider).values("outage_id"))
    return found


def any_outage() -> bool:
    return Outage.objects.exists()


def outage_cards(
    page: Iterable[Outage], filters: Filters, now: datetime, *, insider: bool
) -> list[OutageCard]:
    """The outages of one page with the first names of each that match: two queries in all.

    A look-up for each name, along the index of outage and time; a window function would read all falls.
    """
    ids = [outage.pk for outage in page]
    ordered = _falls(filters, insider=insider).filter(outage=OuterRef("pk")).order_by("fell_at", "pk")
    firsts = {f"first_{place}": _nth(ordered, place) for place in range(FALLS_IN_A_CARD)}
    all_falls = OutageSites.objects.filter(outage=OuterRef("pk")).order_by().values("outage")
    count = Subquery(all_falls.values(count=Func(F("pk"), function="COUNT")))
    found = list(Outage.objects.filter(pk__in=ids).annotate(falls_in_all=count, **firsts))
    wanted = {pk for outage in found for name in firsts if (pk := getattr(outage, name)) is not None}
    by_pk = OutageSites.objects.select_related("site__group").in_bulk(wanted)
    return [
        _outage_card(outage, [by_pk[pk] for pk in _keys(outage, firsts) if pk in by_pk], now, insider=insider)
        for outage in found
    ]


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


def _some(rows: QuerySet[Any], slug: str) -> dict[str, Place]:
    """The rows by slug, in the order of names; where they are too many, the one with ``slug`` alone."""
    columns = rows.order_by().values_list("slug", "pk", "name")
    # Without an order the database stops after so many rows.
    found = list(columns[: PLACES_OFFERED + 1])
    if len(found) > PLACES_OFFERED:
        # PostgreSQL raises at a NUL in a parameter; none of our slugs has one.
        found = list(columns.filter(slug=slug)) if slug and "\0" not in slug else []
    return {slug: Place(pk, name) for slug, pk, name in sorted(found, key=lambda row: row[2].casefold())}


def _visible_sites(*, insider: bool) -> QuerySet[Site]:
    return Site.objects.all() if insider else Site.objects.filter(group__internal=False)


def _falls(filters: Filters, *, insider: bool) -> QuerySet[OutageSites]:
    """The falls that the filters speak of. A stranger cannot find by its name what is hidden from them."""
    falls = OutageSites.objects.all()
    if filters.names_falls and not insider:
        falls = falls.filter(site__group__internal=False)
    if filters.group is not None:
        falls = falls.filter(site__group_id=filters.group)
    if filters.site is not None:
        falls = falls.filter(site_id=filters.site)
    if filters.name:
        falls = falls.filter(site_name__icontains=filters.name)
    return falls


def _nth(ordered: QuerySet[OutageSites], place: int) -> Subquery:
    return Subquery(ordered.values("pk")[place : place + 1])


def _keys(outage: Outage, names: Iterable[str]) -> list[int | None]:
    return [getattr(outage, name) for name in names]


def _outage_card(outage: Outage, first: Sequence[OutageSites], now: datetime, *, insider: bool) -> OutageCard:
    cards = [_fall_card(fall, now, insider=insider) for fall in first]
    names = list(dict.fromkeys(card.name for card in cards))
    reason = next((card.fall.reason for card in cards if not card.hidden), "")
    count: int = outage.falls_in_all or 0  # type: ignore[attr-defined]  # the annotation
    return OutageCard(outage, names, count - len(cards), reason, lasted(outage, now))


def _fall_card(fall: OutageSites, now: datetime, *, insider: bool) -> FallCard:
    hidden = not insider and (fall.site is None or fall.site.group.internal)
    name = HIDDEN_NAME if hidden else fall.site_name
    return FallCard(fall, name, hidden, _lasted(fall.fell_at, fall.back_at, now))


def _lasted(start: datetime, end: datetime | None, now: datetime) -> str:
    return in_words(((end or now) - start).total_seconds())
