"""What the receivers tell of themselves in /metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from timings.models import Receiver

COUNTERS = {
    "received": "Datagrams taken off the socket.",
    "stored": "Messages stored.",
    "queue_full": "Datagrams dropped because the queue was full.",
    "kernel_drops": "Datagrams that the kernel dropped because the receive buffer was full.",
}
GAUGES = {
    "queued": "Datagrams that wait to be stored.",
    "receive_buffer": "Bytes of the receive buffer, as the kernel gave it.",
}


def metrics(now: datetime) -> Iterator[Metric]:
    rows = list(Receiver.objects.order_by("address"))
    for name, words in COUNTERS.items():
        family: CounterMetricFamily | GaugeMetricFamily
        family = CounterMetricFamily(f"djamon_timings_{name}", words, labels=("address",))
        for row in rows:
            family.add_metric((row.address,), getattr(row, name))
        yield family
    for name, words in GAUGES.items():
        family = GaugeMetricFamily(f"djamon_timings_{name}", words, labels=("address",))
        for row in rows:
            family.add_metric((row.address,), getattr(row, name))
        yield family
    refused = CounterMetricFamily(
        "djamon_timings_refused", "Datagrams refused, by reason.", labels=("address", "reason")
    )
    age = GaugeMetricFamily(
        "djamon_timings_receiver_age_seconds", "Since the receiver wrote its figures.", labels=("address",)
    )
    for row in rows:
        age.add_metric((row.address,), max(0.0, (now - row.updated).total_seconds()))
        for reason, count in sorted(row.refused.items()):
            refused.add_metric((row.address, reason), count)
    yield refused
    yield age
