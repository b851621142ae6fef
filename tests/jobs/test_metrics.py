from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from jobs import leases, metrics, recording
from jobs.models import JobRun
from tests.jobs.conftest import Start, finish

NOW = datetime(2025, 6, 2, 9, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def table(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"


def figures(text: bytes) -> dict[tuple[str, ...], float]:
    """By name and label values."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.mark.django_db
def test_the_figures_of_a_job() -> None:
    run, held = recording.start("sweep", {}, "cron", NOW - timedelta(seconds=60))
    recording.finish(run, held, JobRun.State.FAILED, "", NOW - timedelta(seconds=50))
    recording.start("sweep", {}, "cron", NOW - timedelta(seconds=5))
    leases.acquire("scheduler", NOW - timedelta(seconds=2))
    found = figures(metrics.exposition(NOW, [metrics.job_figures]))
    assert found["djamon_job_last_start_age_seconds", "sweep"] == 5
    assert found["djamon_job_last_duration_seconds", "sweep"] == 10
    assert found["djamon_job_last_state", "sweep", "failed"] == 1
    assert found["djamon_job_last_state", "sweep", "done"] == 0
    assert found["djamon_job_running", "sweep"] == 1
    assert found["djamon_job_running", "nightly"] == 0
    assert found["djamon_job_late", "sweep"] == 0
    assert found["djamon_scheduler_lease_age_seconds",] == 2
    assert ("djamon_job_last_duration_seconds", "nightly") not in found


def broken(_now: datetime) -> Iterable[Metric]:
    raise ValueError("odd")


def working(_now: datetime) -> Iterable[Metric]:
    return [GaugeMetricFamily("djamon_answer", "An answer", value=42)]


@pytest.mark.django_db
def test_a_source_that_fails_is_named_and_the_others_give_their_figures() -> None:
    found = figures(metrics.exposition(NOW, [broken, working]))
    assert found["djamon_answer",] == 42
    assert found["djamon_metrics_source_up", "tests.jobs.test_metrics.broken"] == 0
    assert found["djamon_metrics_source_up", "tests.jobs.test_metrics.working"] == 1


@pytest.mark.django_db
def test_metrics_are_prometheus_text_and_need_no_login(stranger_client: Client) -> None:
    answer = stranger_client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert ("djamon_job_running", "sweep") in figures(answer.content)


def test_without_a_database_metrics_say_so(start: Start) -> None:
    code = """
from django.test import Client
answer = Client().get('/metrics', HTTP_HOST='localhost')
failed = 'djamon_metrics_source_up{source="jobs.metrics.job_figures"} 0.0'
say(answer.status_code, failed in answer.content.decode())
"""
    process = start(code, DATABASE_URL="sqlite:////no/such/folder/djamon.sqlite3")
    assert finish(process)[1].splitlines()[-1] == "200 True"
