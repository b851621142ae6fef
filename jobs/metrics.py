"""/metrics in Prometheus' text format: the jobs' figures, this process', and what other apps registered.

No names of sites and no secrets, so it asks for no login.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from djamon.lib import hooks
from djamon.lib.patience import patience
from jobs import queries
from jobs.models import JobRun

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
Source = Callable[[datetime], Iterable[Metric]]


class _Sources(Collector):
    """Asks every source; one that fails is left out and named in ``djamon_metrics_source_up``."""

    def __init__(self, sources: Iterable[Source], now: datetime) -> None:
        self.sources = sources
        self.now = now

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("djamon_metrics_source_up", "1 where a source gave figures", labels=["source"])
        for source in self.sources:
            name = f"{source.__module__}.{getattr(source, '__qualname__', 'source')}"
            try:
                found = list(source(self.now))
            except Exception:
                log.exception("no metrics from %s", name)
                found = []
                up.add_metric([name], 0)
            else:
                up.add_metric([name], 1)
            yield from found
        yield up


def exposition(now: datetime, sources: Iterable[Source] | None = None) -> bytes:
    """The whole text; ``sources`` are the registered ones unless given."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    with patience(PATIENCE_S):
        registry.register(_Sources(hooks.metric_sources if sources is None else sources, now))
        return generate_latest(registry)


def job_figures(now: datetime) -> Iterable[Metric]:
    """The table's jobs and the scheduler; registered as a source by jobs.apps."""
    ages = _gauge("last_start_age_seconds", "Since the last run began")
    took = _gauge("last_duration_seconds", "How long the last finished run took")
    late = _gauge("late", "1 where the job has missed its time")
    running = _gauge("running", "1 while the job runs")
    states = GaugeMetricFamily(
        "djamon_job_last_state",
        "1 at the state in which the last finished run ended",
        labels=["job", "state"],
    )
    for status in queries.statuses(now):
        name = status.job.name
        late.add_metric([name], status.missed is not None)
        running.add_metric([name], status.running is not None)
        if status.latest:
            ages.add_metric([name], (now - status.latest.started).total_seconds())
        if status.finished and status.finished.took_s is not None:
            took.add_metric([name], status.finished.took_s)
            for state in JobRun.State.values[1:]:
                states.add_metric([name, state], status.finished.state == state)
    return [ages, took, late, running, states, _scheduler(now)]


def _gauge(name: str, words: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"djamon_job_{name}", words, labels=["job"])


def _scheduler(now: datetime) -> Metric:
    figure = GaugeMetricFamily("djamon_scheduler_lease_age_seconds", "Since the scheduler renewed its lease")
    lease = queries.scheduler_lease()
    if lease and lease.renewed:
        figure.add_metric([], (now - lease.renewed).total_seconds())
    return figure
