"""What the pages of outages read. Nothing here writes, or costs more queries as outages, falls or sites grow.

``insider`` is whether the reader has a login. To strangers, whom PUBLIC_STATUS lets in, an outage is what
fell of public groups and nothing else: without such a fall there is none; its beginning, its end and all
figures are of these falls alone. A deleted site, whose group nobody knows any more, is not public.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery

from djamon.lib.durations import in_words
from monitor.models import Group, Outage, OutageSites, Site

FALLS_OF_A_SITE = 20
FALLS_IN_A_CARD = 3
# A choice of more is no choice: sites are then found by their names.
PLACES_OFFERED = 150


@dataclass(frozen=True, slots=True)
class FallCard:
    fall: OutageSites
    name: str
    lasted: str


@dataclass(frozen=True, slots=True)
class OutageCard:
    outage: Outage
    names: list[str]
    more: int
    reason: str  # of the first fall that is shown
    other_reasons: int
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
    return [FallCard(fall, fall.site_name, _lasted(fall.fell_at, fall.back_at, now)) for fall in falls]


def places(group: str, site: str, *, insider: bool) -> Places:
    """What the list can be filtered by: some groups and sites, and in any case those with the given slugs."""
    groups = Group.objects.all() if insider else Group.objects.filter(internal=False)
    return Places(_some(groups, group), _some(_visible_sites(insider=insider), site))


def outages(filters: Filters, *, insider: bool) -> QuerySet[Outage]:
    """The outages that match, newest first, along the index of their beginnings."""
    if not insider:
        return _outages_of_strangers(filters)
    found = Outage.objects.all()
    if filters.state:
        found = found.filter(resolved_at__isnull=filters.state == "open")
    if filters.until:
        found = found.filter(opened_at__lt=filters.until)
    if filters.since:
        found = found.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=filters.since))
    return _of_falls(found, filters, insider=True)


def _outages_of_strangers(filters: Filters) -> QuerySet[Outage]:
    """The same by what is public of them; a look-up for each outage, along the index of outage and time."""
    sites = _visible_sites(insider=False).values("pk")
    public = OutageSites.objects.order_by().filter(outage=OuterRef("pk"), site__in=sites)
    still_open = Exists(public.filter(back_at__isnull=True))
    found = Outage.objects.filter(Exists(public))
    if filters.state:
        found = found.filter(still_open if filters.state == "open" else ~still_open)
    if filters.until:
        found = found.filter(Exists(public.filter(fell_at__lt=filters.until)))
    if filters.since:
        found = found.filter(still_open | Exists(public.filter(back_at__gte=filters.since)))
    return _of_falls(found, filters, insider=False)


def _of_falls(found: QuerySet[Outage], filters: Filters, *, insider: bool) -> QuerySet[Outage]:
    if not filters.names_falls:
        return found
    return found.filter(pk__in=_falls(filters, insider=insider).values("outage_id"))


def outage_cards(
    page: Iterable[Outage], filters: Filters, now: datetime, *, insider: bool
) -> list[OutageCard]:
    """The outages of one page with the first names of each that match: two queries in all.

    A look-up for each name, along the index of outage and time; a window function would read all falls.
    """
    ids = [outage.pk for outage in page]
    ordered = _falls(filters, insider=insider).filter(outage=OuterRef("pk")).order_by("fell_at", "pk")
    firsts = {f"first_{place}": _nth(ordered, place) for place in range(FALLS_IN_A_CARD)}
    all_falls = visible_falls(insider=insider)
    counts = {
        "falls_in_all": _of_all(all_falls, Count("pk")),
        "reasons_in_all": _of_all(all_falls, Count("reason", distinct=True)),
    }
    found = _as_seen(Outage.objects.filter(pk__in=ids).annotate(**counts, **firsts), insider=insider)
    wanted = {pk for outage in found for name in firsts if (pk := getattr(outage, name)) is not None}
    by_pk = OutageSites.objects.in_bulk(wanted)
    return [
        _outage_card(outage, [by_pk[pk] for pk in _keys(outage, firsts) if pk in by_pk], now)
        for outage in found
    ]


def find_outage(pk: int | None, *, insider: bool) -> Outage | None:
    """The outage with this number as the reader may see it; without one, the one that is open. One query."""
    if pk is not None:
        wanted = Q(pk=pk)
    elif insider:
        wanted = Q(resolved_at__isnull=True)
    else:
        wanted = Q(pk__in=visible_falls(insider=False).filter(back_at__isnull=True).values("outage_id"))
    return next(iter(_as_seen(Outage.objects.filter(wanted)[:1], insider=insider)), None)


def latest_outage(*, insider: bool) -> Outage | None:
    """The outage that began last, as the reader may see it; only that can be open. One query."""
    return next(iter(_as_seen(outages(Filters(), insider=insider)[:1], insider=insider)), None)


def falls_in(outage: Outage, *, insider: bool) -> QuerySet[OutageSites]:
    """Who fell in the outage, in the order of falling."""
    falls = visible_falls(insider=insider).filter(outage=outage)
    return falls.select_related("site").order_by("fell_at", "pk")


def visible_falls(*, insider: bool) -> QuerySet[OutageSites]:
    falls = OutageSites.objects.all()
    return falls if insider else falls.filter(site__group__internal=False)


def fall_cards(falls: Iterable[OutageSites], now: datetime) -> list[FallCard]:
    return [FallCard(fall, fall.site_name, _lasted(fall.fell_at, fall.back_at, now)) for fall in falls]


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
    """The falls that the filters speak of."""
    falls = visible_falls(insider=insider)
    if filters.group is not None:
        falls = falls.filter(site__group_id=filters.group)
    if filters.site is not None:
        falls = falls.filter(site_id=filters.site)
    if filters.name:
        falls = falls.filter(site_name__icontains=filters.name)
    return falls


def public_end() -> Subquery:
    """When the last public fall of an outage ended; for rows of outages."""
    return _of_all(visible_falls(insider=False), Max("back_at"))


def _as_seen(outages: QuerySet[Outage], *, insider: bool) -> list[Outage]:
    """The outages with the beginning and end that the reader may see. Those of strangers are never saved."""
    if insider:
        return list(outages)
    public = visible_falls(insider=False)
    still_open = public.order_by().filter(outage=OuterRef("pk"), back_at__isnull=True)
    seen: list[Outage] = []
    for outage in outages.annotate(
        public_begin=_of_all(public, Min("fell_at")), public_end=public_end(), public_open=Exists(still_open)
    ):
        if outage.public_begin is not None:
            over = outage.public_end is not None and not outage.public_open
            outage.opened_at = outage.public_begin
            outage.resolved_at = max(outage.public_begin, outage.public_end) if over else None
            seen.append(outage)
    return seen


def _of_all(falls: QuerySet[OutageSites], figure: Count | Max | Min) -> Subquery:
    """A figure of the falls of each outage."""
    of_one = falls.filter(outage=OuterRef("pk")).order_by().values("outage")
    return Subquery(of_one.annotate(figure=figure).values("figure"))


def _nth(ordered: QuerySet[OutageSites], place: int) -> Subquery:
    return Subquery(ordered.values("pk")[place : place + 1])


def _keys(outage: Outage, names: Iterable[str]) -> list[int | None]:
    return [getattr(outage, name) for name in names]


def _outage_card(outage: Outage, first: Sequence[OutageSites], now: datetime) -> OutageCard:
    names = list(dict.fromkeys(fall.site_name for fall in first))
    reason = first[0].reason if first else ""
    falls: int = outage.falls_in_all or 0  # type: ignore[attr-defined]  # the annotations
    reasons: int = outage.reasons_in_all or 0  # type: ignore[attr-defined]
    return OutageCard(outage, names, falls - len(first), reason, max(0, reasons - 1), lasted(outage, now))


def _lasted(start: datetime, end: datetime | None, now: datetime) -> str:
    return in_words(((end or now) - start).total_seconds())
