"""Which sites a run asks. The rule is pure; the query around it reads only the columns that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from djamon.lib.commands import DjamonError
from monitor.models import Group, Site
from monitor.validators import parse_good_codes
from monitor.verdicts import Target, is_https

# A run starts some seconds sooner or later than the one before; an interval in minutes must not slip by that.
SLACK = timedelta(seconds=30)
READ_EVERY, READ_SOON, ENDS_SOON = timedelta(hours=12), timedelta(hours=1), timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom a run may ask: all, or the named sites and the sites of the named groups."""

    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        return not (self.sites or self.groups)


def is_due(interval_min: int | None, last_checked: datetime | None, now: datetime) -> bool:
    """Without an interval: in every run. A last check in the future (a clock set back) counts as never."""
    if interval_min is None or last_checked is None or last_checked > now:
        return True
    return now - last_checked >= timedelta(minutes=interval_min) - SLACK


def reads_certificate(ends: datetime | None, read: datetime | None, now: datetime) -> bool:
    """Whether a run reads the certificate: each 12 hours, and each hour where a new one must come soon."""
    if ends is None or read is None or read > now:
        return True
    return now - read >= (READ_SOON if ends - now <= ENDS_SOON else READ_EVERY) - SLACK


def require(selection: Selection) -> None:
    """Raises DjamonError naming a slug that no site or group has."""
    for what, model, slugs in (("site", Site, selection.sites), ("group", Group, selection.groups)):
        found = set(model._default_manager.filter(slug__in=slugs).values_list("slug", flat=True))
        for slug in slugs:
            if slug not in found:
                raise DjamonError(f"no {what} has the slug {slug!r}")


def targets(selection: Selection, now: datetime) -> list[Target]:
    """What this run asks; sites that were named are asked whether due or not, paused ones never.

    Those that failed before come first: one that says nothing again takes the whole time limit, and so does
    not make the run longer than that.
    """
    fields = (
        *("id", "url", "good_codes", "get_fallback", "interval_min", "last_checked"),
        *("certificate_ends", "certificate_read"),
    )
    rows = _selected(selection).filter(enabled=True).order_by("-failures", "pk").values_list(*fields)
    return [
        Target(
            key,
            url,
            parse_good_codes(codes) or settings.GOOD_CODES,
            fallback,
            read_certificate=is_https(url) and reads_certificate(ends, read, now),
        )
        for key, url, codes, fallback, interval_min, last_checked, ends, read in rows
        if not selection.is_all or is_due(interval_min, last_checked, now)
    ]


def _selected(selection: Selection) -> QuerySet[Site]:
    if selection.is_all:
        return Site.objects.all()
    return Site.objects.filter(Q(slug__in=selection.sites) | Q(group__slug__in=selection.groups))
