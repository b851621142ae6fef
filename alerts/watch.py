"""What the outbox tells of itself: banners on the pages, its part of /healthz and /metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from alerts import queries
from alerts.subjects import Ledger
from djamon.lib.durations import roughly
from djamon.lib.hooks import Banner, HealthPart, Level

# send_alerts runs each minute: after so long, nobody is running it.
DEAD_AFTER_S = 30 * 60


def banners(now: datetime) -> Iterator[Banner]:
    if not queries.configured():
        yield Banner("warning", "Nobody is configured to be told: set TO_EMAIL or TWITTER")
    behind = queries.undelivered(now)
    if behind.waiting:
        text = f"{_alerts(behind.waiting)} could not be delivered yet: {behind.why}"
        yield _undelivered("warning", text, behind.ledgers)
    if behind.expired:
        why = f": {behind.why}" if behind.why else ""
        text = f"{_alerts(behind.expired)} could not be delivered in 24 hours{why}"
        yield _undelivered("danger", text, behind.ledgers)


def _undelivered(level: Level, text: str, ledgers: Sequence[Ledger]) -> Banner:
    """A banner has one link: where alerts of several kinds are behind, the reason is mostly the same."""
    return Banner(level, text, ledgers[0].url_name, ledgers[0].link_text) if ledgers else Banner(level, text)


def health(now: datetime) -> Iterator[HealthPart]:
    """Dead when what is due has waited for long without a try; a receiver that refuses is no dead outbox."""
    backlog = queries.backlog(now)
    dead = backlog.overdue_s > DEAD_AFTER_S
    detail = f"{backlog.pending} waiting" if backlog.pending else "nothing waits"
    if dead:
        detail += f", the first due for {roughly(backlog.overdue_s)}: nobody runs send_alerts"
    elif why := queries.undelivered(now).why:
        detail += f"; {why}"
    yield HealthPart("alerts outbox", ok=not dead, detail=detail, age_s=backlog.overdue_s)


def metrics(now: datetime) -> Iterator[Metric]:
    backlog = queries.backlog(now)
    yield GaugeMetricFamily(
        "djamon_alerts_pending", "Deliveries of alerts that wait to be sent.", backlog.pending
    )
    yield GaugeMetricFamily(
        "djamon_alerts_oldest_pending_seconds", "Age of the oldest alert that waits.", backlog.oldest_age_s
    )
    attempts = CounterMetricFamily(
        "djamon_alert_attempts", "Attempts to deliver an alert.", labels=("channel", "result")
    )
    for total in queries.totals():
        attempts.add_metric((total.channel, "sent"), total.sent)
        attempts.add_metric((total.channel, "failed"), total.failed)
    yield attempts


def _alerts(count: int) -> str:
    return f"{count} alert{'' if count == 1 else 's'}"
