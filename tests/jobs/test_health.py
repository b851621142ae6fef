from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from djamon.lib import hooks
from djamon.lib.hooks import HealthPart
from jobs import health, leases, recording
from jobs.models import Checkpoint, JobRun, Lease
from tests.jobs.conftest import Start, finish, read_line

NOW = datetime(2025, 6, 2, 9, 3, tzinfo=UTC)

ASK = """
import json, time
from django.test import Client
begin = time.monotonic()
answer = Client().get('/healthz', HTTP_HOST='localhost')
say(json.dumps([answer.status_code, answer.json(), time.monotonic() - begin]))
"""


@pytest.fixture(autouse=True)
def table(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"  # sweep each five minutes, nightly at 2:30


@pytest.fixture
def no_sources() -> Iterator[None]:
    kept, hooks.health_sources[:] = hooks.health_sources[:], []
    yield
    hooks.health_sources[:] = kept


def scheduler_part(now: datetime) -> HealthPart:
    return next(part for part in health.examine(now) if part.name == "scheduler")


def known_since(when: datetime) -> None:
    for name in ("sweep", "nightly"):
        Checkpoint.objects.update_or_create(job=name, key="known since", defaults={"value": when.isoformat()})


def ran(name: str, when: datetime) -> None:
    run, held = recording.start(name, {}, "cron", when)
    recording.finish(run, held, JobRun.State.DONE, "", when)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("installed_min", "swept_min", "ok", "detail"),
    [
        pytest.param(5, None, True, "not running; no job has been due yet", id="fresh-install"),
        pytest.param(30, None, False, "not running, and late: sweep", id="never-ran"),
        pytest.param(30, 3, True, "not running; cron does the work", id="cron-does-the-work"),
        pytest.param(30, 9, False, "not running, and late: sweep", id="cron-has-stopped"),
    ],
)
def test_without_a_scheduler_the_jobs_must_be_in_time(
    installed_min: int, swept_min: int | None, ok: bool, detail: str
) -> None:
    known_since(NOW - timedelta(minutes=installed_min))
    if swept_min is not None:
        ran("sweep", NOW - timedelta(minutes=swept_min))
    part = scheduler_part(NOW)
    assert (part.ok, part.detail) == (ok, detail)


@pytest.mark.django_db
def test_a_fresh_lease_is_enough_and_tells_its_age() -> None:
    known_since(NOW - timedelta(days=9))
    assert leases.acquire("scheduler", NOW - timedelta(seconds=7))
    part = scheduler_part(NOW)
    assert (part.ok, part.age_s) == (True, 7)


@pytest.mark.django_db
def test_a_dead_scheduler_is_told_by_its_late_jobs() -> None:
    known_since(NOW - timedelta(days=9))
    leases.acquire("scheduler", NOW - timedelta(seconds=70))
    part = scheduler_part(NOW)
    assert (part.ok, part.detail, part.age_s) == (False, "not running, and late: sweep, nightly", 70)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_sources")
def test_healthz_needs_no_login(stranger_client: Client) -> None:
    known_since(timezone.now())
    answer = stranger_client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert [part["name"] for part in answer.json()["parts"]] == ["web", "database", "scheduler"]
    assert set(answer.json()["parts"][0]) == {"name", "ok", "detail", "age_s"}


@pytest.mark.django_db
@pytest.mark.usefixtures("no_sources")
def test_registered_parts_are_asked_and_one_that_raises_is_not_ok(stranger_client: Client) -> None:
    def raises(_now: datetime) -> list[HealthPart]:
        raise ValueError("odd")

    hooks.health_sources += [raises, lambda _now: [HealthPart("outbox", ok=True, detail="empty", age_s=1.5)]]
    known_since(timezone.now())
    answer = stranger_client.get("/healthz")
    parts = {part["name"]: part for part in answer.json()["parts"]}
    assert answer.status_code == 503
    assert (parts["tests"]["ok"], parts["tests"]["detail"]) == (False, "ValueError: odd")
    assert parts["outbox"] == {"name": "outbox", "ok": True, "detail": "empty", "age_s": 1.5}


def asked(output: str) -> tuple[int, dict[str, Any], float]:
    status, body, took_s = json.loads(output.splitlines()[-1])
    return status, body, took_s


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("sqlite:////no/such/folder/djamon.sqlite3", id="sqlite-gone"),
        pytest.param("postgres://nobody@127.0.0.1:1/none", id="postgresql-refused"),
    ],
)
@pytest.mark.parametrize("pool", ["0", "10"], ids=["no-pool", "pool"])
def test_a_database_that_is_gone_is_503_within_seconds(url: str, pool: str, start: Start) -> None:
    status, output = finish(start(ASK, DATABASE_URL=url, DATABASE_POOL_SIZE=pool))
    assert status == 0
    code, body, took_s = asked(output)
    parts = {part["name"]: part for part in body["parts"]}
    assert (code, body["status"]) == (503, "dead")
    assert (parts["web"]["ok"], parts["database"]["ok"], parts["scheduler"]["ok"]) == (True, False, False)
    assert took_s < 5


def test_a_locked_database_is_503_within_seconds(start: Start) -> None:
    # SQLite: any transaction that writes; PostgreSQL: somebody who holds a whole table.
    locker = start("""
with transaction.atomic():
    if connection.vendor == 'postgresql':
        connection.cursor().execute('LOCK TABLE jobs_lease')
    say('locked')
    sys.stdin.readline()
""")
    assert read_line(locker) == "locked"
    code, body, took_s = asked(finish(start(ASK))[1])
    assert (code, body["status"]) == (503, "dead")
    assert any("lock" in part["detail"] for part in body["parts"] if not part["ok"])
    assert took_s < 5


@pytest.mark.django_db
def test_asking_marks_runs_whose_process_died() -> None:
    ran("sweep", NOW)
    run, _ = recording.start("sweep", {}, "cron", NOW - timedelta(minutes=1))
    Lease.objects.update(holder="another-boot/pid:[1] 99 5")
    health.examine(NOW)
    run.refresh_from_db()
    assert run.state == "died"
