"""Who was told of the falls that go on, by the alerts that tell of them; others of the outage are left out.

The page of an outage tells when somebody heard of it first (monitor.outage_history); home must not say that
of sites that fell since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Min, Q, Subquery

from alerts.models import Alert, Delivery
from monitor.models import Outage, OutageSites

SENT = Q(deliveries__state=Delivery.State.SENT)


@dataclass(frozen=True, slots=True)
class Listener:
    """A recipient of the ``alerts`` that tell of what is down: how many arrived, the first and the last when.

    ``unsent``: how many of them have not arrived, whether they wait or were given up.
    """

    channel: str
    address: str
    alerts: int
    told: int
    unsent: int
    first: datetime | None
    last: datetime | None


def of(outage: Outage) -> list[Listener]:
    """Those who were told first stand first, those of nothing last: one query."""
    down = OutageSites.objects.filter(outage=outage, back_at__isnull=True, alert__isnull=False).order_by()
    number = down.values("outage").annotate(number=Count("alert", distinct=True)).values("number")
    rows = (
        Alert.objects.filter(pk__in=down.values("alert"), deliveries__isnull=False)
        .values_list("deliveries__channel", "deliveries__address")
        .annotate(
            alerts=Subquery(number),
            told=Count("deliveries", filter=SENT),
            unsent=Count("deliveries", filter=~SENT),
            first=Min("deliveries__sent_at", filter=SENT),
            last=Max("deliveries__sent_at", filter=SENT),
        )
        .order_by(F("first").asc(nulls_last=True), "deliveries__channel", "deliveries__address")
    )
    return [Listener(*row) for row in rows]
