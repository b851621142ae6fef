"""What the pages for many sites read: the list with its filter, and what goes with the sites chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from jobs.queries import are_pages_in_doubt
from monitor.appearance import look_of
from monitor.models import Group, Site
from monitor.queries import SiteCard, views_in_words

NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """Sites before they are deleted: ``names`` are the first of them, ``results`` a count in words."""

    sites: int
    groups: int
    down: int
    names: list[str]
    results: str

    @property
    def more(self) -> int:
        return self.sites - len(self.names)


def watched_as(urls: Collection[str]) -> dict[str, str]:
    """By URL a site that is asked there already. One query; at most some thousand URLs at a time."""
    found = Site.objects.filter(url__in=set(urls)).order_by("-pk")
    return dict(found.values_list("url", "name"))  # of several sites the oldest


def matching(words: str, group: Group | None, state: str) -> QuerySet[Site]:
    """Sites by group and name, whose name or URL holds ``words`` and that are in ``group`` and ``state``."""
    sites = Site.objects.select_related("group").order_by("group__name", "name", "pk")
    if words:
        sites = sites.filter(Q(name__icontains=words) | Q(url__icontains=words))
    if group:
        sites = sites.filter(group=group)
    if state:
        sites = sites.filter(enabled=False) if state == "paused" else sites.filter(enabled=True, state=state)
    return sites


def cards(sites: Iterable[Site], now: datetime) -> list[SiteCard]:
    doubt = are_pages_in_doubt(now)
    return [SiteCard(site, look_of(site, now, doubt=doubt)) for site in sites]


def group_named(name: str) -> Group | None:
    return Group.objects.filter(name=name).first()


def chosen(site_ids: Collection[int]) -> Chosen:
    """Three queries, however many sites."""
    sites = Site.objects.filter(pk__in=site_ids)
    down = Q(enabled=True, state=Site.State.DOWN)
    counts = sites.aggregate(
        sites=Count("pk"), groups=Count("group", distinct=True), down=Count("pk", filter=down)
    )
    names = list(sites.order_by("name", "pk").values_list("name", flat=True)[:NAMES_SHOWN])
    return Chosen(names=names, results=views_in_words(list(site_ids)), **counts)
