"""What the pages of outages read. Nothing here writes, or costs more queries as outages, falls or sites grow.

``insider`` is whether the reader has a login: strangers, whom PUBLIC_STATUS lets in, learn nothing of
internal groups, nor of sites that are deleted (whose group nobody knows any more).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q, QuerySet

from djamon.lib.durations import in_words
from monitor.models import Outage, OutageSites, Site

FALLS_OF_A_SITE = 20
FALLS_IN_A_CARD = 3
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
    lasted: str


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
