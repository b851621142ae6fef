"""What the page of one outage tells beside its falls: its time line, its figures, and who was told.

The number of queries is the same for an outage of one site and of a thousand: the database orders and pages
the moments of all kinds, and only the rows of one page are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, Min, Q, QuerySet, Value

from alerts.models import Alert, Attempt, Delivery
from monitor import notes, timeline
from monitor.messages import reference
from monitor.models import Outage, OutageNote, OutageSites
from monitor.outage_queries import fall_cards, public_end, visible_falls
from monitor.timeline import Kind, Moment

SENT, PENDING = Delivery.State.SENT, Delivery.State.PENDING
RECIPIENTS_SHOWN = 10
Rows = dict[tuple[Kind, int], tuple[object, str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many falls, how many of them have not ended, and how many different sites they are of."""

    falls: int
    still_down: int
    sites: int

    def __str__(self) -> str:
        """``161 sites, 1,000 falls; 40 still down``; what goes without saying is left out."""
        falls = f", {self.falls:,} falls" if self.falls != self.sites else ""
        down = f"; {self.still_down:,} still down" if self.still_down else ""
        return f"{self.sites:,} {'site' if self.sites == 1 else 'sites'}{falls}{down}"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who was to be told of an outage: ``told_at`` is when first, None: not so far.

    ``waiting`` messages have not arrived yet, and are tried again from ``next_try`` on; ``lost`` never will.
    """

    channel: str
    address: str
    told_at: datetime | None
    offset: str
    next_try: datetime | None
    waiting: int
    lost: int


@dataclass(frozen=True, slots=True)
class Told:
    """``alerts``: whether any was written; ``more``: recipients beyond those that are listed.

    ``unsent``: deliveries that have not arrived, whether they wait or were given up, over all recipients.
    """

    alerts: bool
    recipients: list[Recipient]
    more: int
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An alert with its deliveries that did not arrive so far; ``nobody``: it has none at all."""

    alert: Alert
    unsent: list[Delivery]
    more: int  # unsent ones beyond those that are listed
    nobody: bool


@dataclass(frozen=True, slots=True)
class NoteCard:
    note: OutageNote
    may_edit: bool
    may_delete: bool


def figures(outage: Outage, *, insider: bool) -> Figures:
    """One query; a site that is gone is told from others by its name."""
    found = _falls_in(outage, insider=insider).aggregate(
        falls=Count("pk"),
        still_down=Count("pk", filter=Q(back_at__isnull=True)),
        sites=Count("site", distinct=True),
        gone=Count("site_name", distinct=True, filter=Q(site__isnull=True)),
    )
    return Figures(found["falls"], found["still_down"], found["sites"] + found["gone"])


def told(outage: Outage) -> Told:
    """Who was told when first, by recipient, in the order of being told: one query."""
    rows = (
        Alert.objects.filter(reference=reference(outage.pk))
        .order_by()
        .values_list("deliveries__channel", "deliveries__address")
        .annotate(
            told_at=Min("deliveries__sent_at", filter=Q(deliveries__state=SENT)),
            next_try=Min("deliveries__next_try", filter=Q(deliveries__state=PENDING)),
            waiting=Count("deliveries", filter=Q(deliveries__state=PENDING)),
            lost=Count("deliveries", filter=~Q(deliveries__state__in=(SENT, PENDING))),
        )
        .order_by(F("told_at").asc(nulls_last=True), "deliveries__channel", "deliveries__address")
    )
    found = list(rows)
    # An alert without deliveries is a row too: of no channel.
    recipients = [
        Recipient(channel, address, at, timeline.offset(at, outage.opened_at) if at else "", *rest)
        for channel, address, at, *rest in found
        if channel is not None
    ]
    shown = recipients[:RECIPIENTS_SHOWN]
    unsent = sum(recipient.waiting + recipient.lost for recipient in recipients)
    return Told(bool(found), shown, len(recipients) - len(shown), unsent)


def moments(outage: Outage, *, insider: bool, until: datetime | None = None) -> QuerySet[Any, Any]:
    """All that happened, in the order of time, as rows of instant, kind and key; strangers see no ledger.

    With ``until`` only what happened by then.
    """
    parts = [_keys(kind, rows, field, until) for kind, rows, field in _sources(outage, insider=insider)]
    line: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True)
    return line.order_by("moment_at", "moment_kind", "moment_row")


def _sources(outage: Outage, *, insider: bool) -> list[tuple[Kind, QuerySet[Any], str]]:
    """The rows that time lines are made of, and the column that says when."""
    falls = _falls_in(outage, insider=insider)
    public: list[tuple[Kind, QuerySet[Any], str]] = [
        (Kind.FELL, falls, "fell_at"),
        (Kind.ENDED, falls.filter(back_at__isnull=False), "back_at"),
    ]
    itself = Outage.objects.filter(pk=outage.pk)
    if not insider:
        over = itself if outage.resolved_at else itself.none()
        return [*public, (Kind.OVER, over.annotate(public_end=public_end()), "public_end")]
    about = reference(outage.pk)
    return [
        *public,
        (Kind.OVER, itself.filter(resolved_at__isnull=False), "resolved_at"),
        (Kind.ALERT, Alert.objects.filter(reference=about), "created"),
        (Kind.ATTEMPT, Attempt.objects.filter(delivery__alert__reference=about), "at"),
        (Kind.NOTE, outage.notes.all(), "created"),
    ]


def _falls_in(outage: Outage, *, insider: bool) -> QuerySet[OutageSites]:
    return visible_falls(insider=insider).filter(outage=outage).order_by()


def _keys(kind: Kind, rows: QuerySet[Any], field: str, until: datetime | None) -> QuerySet[Any, Any]:
    if until is not None:
        rows = rows.filter(**{f"{field}__lte": until})
    named = rows.order_by().annotate(moment_at=F(field), moment_kind=Value(int(kind)), moment_row=F("pk"))
    keys: QuerySet[Any, Any] = named.values_list("moment_at", "moment_kind", "moment_row")
    return keys


def entries(
    outage: Outage, page: Iterable[tuple[datetime, int, int]], now: datetime, user: User | None
) -> list[timeline.Entry]:
    """The entries of one page of moments, as ``user`` may see them; None: a stranger. At most 5 queries."""
    line = [Moment(at, Kind(kind), row) for at, kind, row in page]
    rows: Rows = {(Kind.OVER, outage.pk): (outage, "")}
    rows |= _falls(line, now, insider=user is not None)
    if user is not None:
        rows |= _alerts(line) | _attempts(line) | _notes(line, user)
    return timeline.fold(timeline.events(line, rows, outage.opened_at))


def _wanted(line: Iterable[Moment], *kinds: Kind) -> set[int]:
    return {moment.row for moment in line if moment.kind in kinds}


def _falls(line: Iterable[Moment], now: datetime, *, insider: bool) -> Rows:
    falls = visible_falls(insider=insider).filter(pk__in=_wanted(line, Kind.FELL, Kind.ENDED))
    rows: Rows = {}
    for card in fall_cards(falls.select_related("site"), now):
        rows[Kind.FELL, card.fall.pk] = (card, "fell")
        rows[Kind.ENDED, card.fall.pk] = (card, card.fall.ending or OutageSites.Ending.BACK)
    return rows


def _alerts(line: Iterable[Moment]) -> Rows:
    alerts = Alert.objects.filter(pk__in=_wanted(line, Kind.ALERT)).defer("text", "html", "public")
    return {(Kind.ALERT, alert.pk): (_alert(alert), "") for alert in alerts.prefetch_related("deliveries")}


def _alert(alert: Alert) -> AlertCard:
    deliveries = list(alert.deliveries.all())
    unsent = [delivery for delivery in deliveries if delivery.state != SENT]
    shown = unsent[:RECIPIENTS_SHOWN]
    return AlertCard(alert, shown, len(unsent) - len(shown), not deliveries)


def _attempts(line: Iterable[Moment]) -> Rows:
    attempts = Attempt.objects.filter(pk__in=_wanted(line, Kind.ATTEMPT)).select_related("delivery")
    return {
        (Kind.ATTEMPT, attempt.pk): (attempt, f"{attempt.delivery.channel} {attempt.ok}")
        for attempt in attempts
    }


def _notes(line: Iterable[Moment], user: User) -> Rows:
    found = OutageNote.objects.filter(pk__in=_wanted(line, Kind.NOTE))
    return {
        (Kind.NOTE, note.pk): (NoteCard(note, notes.may_edit(note, user), notes.may_delete(user)), "")
        for note in found
    }
