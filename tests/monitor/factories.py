"""Rows for tests of the monitor: each maker needs nothing, and takes any field by its name."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from monitor.models import Group, Outage, OutageSites, Site, SiteView
from monitor.verdicts import Verdict

_numbers = count(1)


def make_group(**fields: Any) -> Group:
    number = next(_numbers)
    return Group.objects.create(**{"name": f"Group {number}", "slug": f"group-{number}"} | fields)


def make_site(**fields: Any) -> Site:
    """A site that is not asked yet, in a group of its own."""
    number = next(_numbers)
    defaults = {"name": f"Site {number}", "slug": f"site-{number}", "url": f"http://site-{number}.example/"}
    return Site.objects.create(**defaults | {"group": fields.pop("group", None) or make_group()} | fields)


def make_up(now: datetime | None = None, **fields: Any) -> Site:
    """A site whose last answer was good."""
    now = now or timezone.now()
    seen = {
        "state": Site.State.UP,
        "state_since": now - timedelta(days=1),
        "last_checked": now - timedelta(seconds=10),
        "last_verdict": Verdict.UP,
        "last_code": 200,
        "last_reason": "HTTP 200 OK",
        "last_ms": 12.3,
    }
    return make_site(**seen | fields)


def make_down(now: datetime | None = None, **fields: Any) -> Site:
    """A site that has fallen; its outage is made apart."""
    now = now or timezone.now()
    seen = {
        "state": Site.State.DOWN,
        "failures": 3,
        "state_since": now - timedelta(minutes=5),
        "last_checked": now - timedelta(seconds=10),
        "last_verdict": Verdict.DOWN,
        "last_code": None,
        "last_reason": "connection refused",
        "last_ms": 0.3,
    }
    return make_site(**seen | fields)


def make_view(site: Site, date: datetime | None = None, **fields: Any) -> SiteView:
    return SiteView.objects.create(**_view(site, date or timezone.now()) | fields)


def make_views(site: Site, number: int, now: datetime | None = None) -> None:
    """``number`` good answers, a minute apart, the last one at ``now``."""
    now = now or timezone.now()
    SiteView.objects.bulk_create(
        SiteView(**_view(site, now - timedelta(minutes=minute))) for minute in range(number)
    )


def _view(site: Site, date: datetime) -> dict[str, Any]:
    return {
        "site": site,
        "date": date,
        "verdict": Verdict.UP,
        "code": 200,
        "reason": "HTTP 200 OK",
        "verb": "HEAD",
        "total_ms": 12.3,
    }


def make_outage(
    *sites: Site, opened_at: datetime | None = None, resolved_at: datetime | None = None
) -> Outage:
    """An outage of ``sites``, open unless ``resolved_at`` is given: then all came back at that moment."""
    opened_at = opened_at or (resolved_at or timezone.now()) - timedelta(minutes=5)
    outage = Outage.objects.create(opened_at=opened_at, resolved_at=resolved_at)
    OutageSites.objects.bulk_create(
        OutageSites(
            outage=outage,
            site=site,
            site_name=site.name,
            site_url=site.url,
            fell_at=opened_at,
            reason="connection refused",
            back_at=resolved_at,
            ending=OutageSites.Ending.BACK if resolved_at else "",
        )
        for site in sites
    )
    return outage
