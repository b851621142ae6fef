"""What is another as soon as an open page of a site or of outages would show something new.

A mark is a short hash, the same in every process. Whoever has such a page open asks for it again when its
mark has changed, and not before: so a mark also covers what goes by without a row, a late run and a minute of
an outage that is open. Queries do not grow with the number of pages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from django.db.models import Count, Max, Q
from django.utils import timezone

from alerts.models import Alert, Attempt, Delivery
from djamon.lib import hooks
from djamon.lib.hooks import Banner
from jobs.queries import are_pages_in_doubt
from monitor.appearance import is_old
from monitor.messages import reference
from monitor.models import Outage, OutageNote, Site
from monitor.outage_queries import latest_outage, visible_falls

Kind = Literal["site", "outage", "outages", "board"]

MINUTE = timedelta(minutes=1)
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,200}")
NUMBER = re.compile(r"[0-9]{1,18}")  # what both databases take for a key
SITE_FIELDS = (
    *("pk", "name", "url", "enabled", "state", "state_since", "last_checked", "last_reason", "failures"),
    *("certificate_ends", "interval_min", "good_codes", "get_fallback", "group__name", "group__internal"),
)


class Frame(NamedTuple):
    """What the frame of every page says at a moment: whether pages may be old, and the banners."""

    now: datetime
    doubt: bool
    banners: list[Banner]


def frame_at(now: datetime, banners: list[Banner] | None = None) -> Frame:
    """``banners``: those that a page will show, where they are known already."""
    return Frame(now, are_pages_in_doubt(now), hooks.said(now) if banners is None else banners)


class Subject(NamedTuple):
    """What a page shows: a site by slug, an outage by number, the list, or a part of home, whose mark is not
    made here; ``insider`` has a login.
    """

    kind: Kind
    key: str
    insider: bool


def mark_of(subject: Subject, frame: Frame) -> str:
    """The mark of one page; read it before what the page shows, so that nothing in between is missed."""
    return marks([subject], frame).get(subject, "")


def marks(subjects: Collection[Subject], frame: Frame) -> dict[Subject, str]:
    """The marks of all that there is for its reader. At most ten queries for each kind of reader."""
    now, found = frame.now, dict[Subject, str]()
    for insider in {subject.insider for subject in subjects}:
        around = (frame.doubt, hooks.told(frame.banners, insider=insider), timezone.localtime(now).date())
        mine = [subject for subject in subjects if subject.insider == insider]
        for subject, parts in _parts(mine, now, insider=insider).items():
            found[subject] = mark_from((around, parts))
    return found


def mark_from(seen: object) -> str:
    """A short hash of what can be seen, by its written form."""
    return blake2b(repr(seen).encode(), digest_size=9).hexdigest()


def _parts(subjects: Iterable[Subject], now: datetime, *, insider: bool) -> dict[Subject, object]:
    by_kind: dict[Kind, dict[str, Subject]] = defaultdict(dict)
    for subject in subjects:
        by_kind[subject.kind][subject.key] = subject
    found: dict[Subject, object] = {}
    if slugs := by_kind["site"]:
        found |= {slugs[slug]: parts for slug, parts in _sites(slugs, now, insider=insider).items()}
    numbers = {int(key): subject for key, subject in by_kind["outage"].items() if NUMBER.fullmatch(key)}
    if numbers:
        known = _outages(numbers, now, insider=insider)
        found |= {numbers[pk]: parts for pk, parts in known.items()}
    for subject in by_kind["outages"].values():
        found[subject] = _latest(now, insider=insider)
    return found


def _sites(slugs: Iterable[str], now: datetime, *, insider: bool) -> dict[str, object]:
    """By slug; a run that asks a site changes its row. One query."""
    rows = Site.objects.filter(slug__in=[slug for slug in slugs if SLUG.fullmatch(slug)]).order_by()
    if not insider:
        rows = rows.filter(group__internal=False)
    found: dict[str, object] = {}
    for row in rows.values("slug", *SITE_FIELDS):
        last = row["last_checked"]
        found[row["slug"]] = list(row.values()), is_old(last, row["interval_min"], now), _age(last, now)
    return found


def _age(last: datetime | None, now: datetime) -> int:
    """How many minutes ago, as "5 minutes ago" becomes another; the first counts for nothing."""
    return max(1, (now - last) // MINUTE) if last else 0


def _outages(keys: Collection[int], now: datetime, *, insider: bool) -> dict[int, object]:
    """By number: who fell and came back, and for people with a login the ledger and the notes."""
    parts = _falls(
        {outage.pk: outage for outage in Outage.objects.in_bulk(keys).values()}, now, insider=insider
    )
    if insider and parts:
        for outage, *figures in _notes(parts):
            parts[outage].append(figures)
        by_reference = {reference(pk): pk for pk in parts}
        for about, *figures in _ledger(by_reference):
            parts[by_reference[about]].append(figures)
    return dict(parts)


def _falls(outages: Mapping[int, Outage], now: datetime, *, insider: bool) -> dict[int, list[Any]]:
    """By number, of the outages in which anybody fell that the reader may know of. One query."""
    falls = visible_falls(insider=insider).filter(outage__in=list(outages)).order_by().values("outage")
    counts = falls.annotate(count=Count("pk"), last=Max("pk"), back=Count("back_at"), site=Count("site"))
    found = {pk: [figures] for pk, *figures in counts.values_list("outage", "count", "last", "back", "site")}
    return {
        pk: [figures, outages[pk].resolved_at if insider else None, _minute(outages[pk], now)]
        for pk, figures in found.items()
    }


def _notes(keys: Iterable[int]) -> Iterable[tuple[Any, ...]]:
    notes = OutageNote.objects.filter(outage__in=list(keys)).order_by().values("outage")
    return notes.annotate(count=Count("pk"), last=Max("pk"), changed=Max("edited")).values_list(
        "outage", "count", "last", "changed"
    )


def _ledger(references: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    """Alerts, attempts, deliveries: three queries. An alert may have no delivery, a delivery no attempt."""
    about = list(references)
    written = Alert.objects.filter(reference__in=about).order_by().values("reference")
    yield from written.annotate(last=Max("pk")).values_list("reference", "last")
    tried = Attempt.objects.filter(delivery__alert__reference__in=about).order_by()
    yield from (
        tried.values("delivery__alert__reference")
        .annotate(last=Max("pk"))
        .values_list("delivery__alert__reference", "last")
    )
    states = {state.value: Count("pk", filter=Q(state=state)) for state in Delivery.State}
    told = Delivery.objects.filter(alert__reference__in=about).order_by().values("alert__reference")
    yield from told.annotate(**states, next=Max("next_try")).values_list("alert__reference", *states, "next")


def _latest(now: datetime, *, insider: bool) -> object:
    """Of the list: its newest outage, as only that can change. Two queries."""
    outage = latest_outage(insider=insider)
    return _falls({outage.pk: outage}, now, insider=insider) if outage else None


def _minute(outage: Outage, now: datetime) -> int:
    """It has lasted a minute longer."""
    return int(now.timestamp() // 60) if outage.resolved_at is None else 0
