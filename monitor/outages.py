"""The only writer of outages: who falls opens or joins one, who comes back may resolve it.

Every function here runs inside the caller's transaction, which also holds the alert that tells of the change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from alerts import outbox
from monitor import messages
from monitor.models import Outage, OutageSites

Ending = OutageSites.Ending


@dataclass(frozen=True, slots=True)
class Fall:
    """A site that has just had its last strike; ``at`` is when its first failed request was made."""

    site_id: int
    name: str
    url: str
    at: datetime
    reason: str
    strikes: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one run did to the outage, for its summary."""

    outage_id: int
    opened: bool = False
    joined: bool = False
    resolved: bool = False

    def __str__(self) -> str:
        deeds = [word for word in ("opened", "joined", "resolved") if getattr(self, word)]
        return f"outage {self.outage_id} {' and '.join(deeds) or 'goes on'}"


def apply(falls: Sequence[Fall], returns: Mapping[int, datetime], now: datetime) -> Change | None:
    """Write what a run found: ``returns`` maps the ids of sites that answer again to when they did.

    Those who fall come first, so that a site that falls while the last one comes back keeps the outage open.
    Returns None where nothing changed.
    """
    if not falls and not returns:
        return None
    outage = _current()
    opened = outage is None and bool(falls)
    if opened:
        outage = Outage.objects.create(opened_at=min(fall.at for fall in falls))
    if outage is None:
        return None
    if falls:
        rows = _add(outage, falls)
        alert = outbox.enqueue(messages.fell(outage, rows, joined=not opened), now)
        # The outage is locked, so its falls from our first one on are ours; a list of keys could be too long.
        outage.falls.filter(pk__gte=min(row.pk for row in rows)).update(alert=alert)
    _close(outage, returns, Ending.BACK)
    resolved = _resolve_if_over(outage, now)
    return Change(outage.pk, opened=opened, joined=bool(falls) and not opened, resolved=resolved)


def withdraw(site_ids: Collection[int], ending: OutageSites.Ending, now: datetime) -> None:
    """Take sites that are paused or deleted out of the open outage, which may resolve it."""
    outage = _current()
    if outage is not None and _close(outage, dict.fromkeys(site_ids, now), ending):
        _resolve_if_over(outage, now)


def _current() -> Outage | None:
    """The open outage, locked, so that two writers agree on who resolves it."""
    return Outage.objects.select_for_update().filter(resolved_at__isnull=True).first()


def _add(outage: Outage, falls: Sequence[Fall]) -> list[OutageSites]:
    rows = [
        OutageSites(
            outage=outage,
            site_id=fall.site_id,
            site_name=fall.name,
            site_url=fall.url,
            fell_at=fall.at,
            reason=fall.reason,
            strikes=fall.strikes,
        )
        for fall in falls
    ]
    OutageSites.objects.bulk_create(rows, batch_size=1000)
    return list(_falls(outage).filter(site_id__in=[row.site_id for row in rows], back_at__isnull=True))


def _close(outage: Outage, returns: Mapping[int, datetime], ending: OutageSites.Ending) -> bool:
    open_falls = [fall for fall in outage.falls.filter(back_at__isnull=True) if fall.site_id in returns]
    for fall in open_falls:
        assert fall.site_id is not None  # noqa: S101  (a site that is deleted is withdrawn first)
        fall.back_at, fall.ending = returns[fall.site_id], ending
    OutageSites.objects.bulk_update(open_falls, ["back_at", "ending"], batch_size=200)
    return bool(open_falls)


def _resolve_if_over(outage: Outage, now: datetime) -> bool:
    if outage.falls.filter(back_at__isnull=True).exists():
        return False
    falls = list(_falls(outage))
    # A clock that was set back must not end an outage before it began.
    outage.resolved_at = max([outage.opened_at, *(fall.back_at for fall in falls if fall.back_at)])
    outage.save(update_fields=["resolved_at"])
    outbox.enqueue(messages.resolved(outage, falls), now)
    return True


def _falls(outage: Outage) -> QuerySet[OutageSites]:
    return OutageSites.objects.filter(outage=outage).select_related("site__group").order_by("fell_at", "pk")
