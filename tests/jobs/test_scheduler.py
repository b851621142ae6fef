from __future__ import annotations

import json
import logging
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jobs import duty, leases
from jobs.models import JobRun, Lease
from jobs.periodic import PeriodicJob
from jobs.scheduler import Scheduler
from tests.jobs.conftest import Start, finish, read_until

NOW = datetime(2025, 6, 2, 9, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Trial:
    """A scheduler of `python -c` jobs, with its hand on the clock."""

    def __init__(self, **codes: str) -> None:
        table = tuple(PeriodicJob(name, name, ("* * * * *",), (code,)) for name, code in codes.items())
        self.scheduler = Scheduler(table, ZoneInfo("UTC"), lambda job: [sys.executable, "-c", *job.command])
        self.scheduler.step(NOW)

    def step(self, after: timedelta) -> None:
        self.scheduler.step(NOW + after)

    def wait_for_jobs(self) -> None:
        for job in self.scheduler.running.values():
            job.process.wait(20)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "jobs.scheduler")
    return caplog


def append(path: Path, what: str = "os.environ['DJAMON_TRIGGER']") -> str:
    return f"import os; print({what}, file=open({str(path)!r}, 'a'))"


@pytest.mark.django_db
def test_a_due_job_is_started_once_and_told_who_started_it(tmp_path: Path) -> None:
    trial = Trial(write=append(tmp_path / "out"))
    trial.step(MINUTE)
    trial.wait_for_jobs()
    trial.step(MINUTE + timedelta(seconds=1))
    assert (tmp_path / "out").read_text() == "scheduler\n"
    assert trial.scheduler.running == {}


@pytest.mark.django_db
def test_nothing_is_started_before_its_time() -> None:
    trial = Trial(idle="pass")
    trial.step(timedelta(seconds=29))
    assert trial.scheduler.running == {}
    assert trial.scheduler.seconds_to_next(NOW + timedelta(seconds=29)) == 1


@pytest.mark.django_db
def test_a_job_that_still_runs_is_not_started_again(log: pytest.LogCaptureFixture) -> None:
    trial = Trial(slow="import time; time.sleep(60)")
    trial.step(MINUTE)
    first = trial.scheduler.running["slow"]
    trial.step(2 * MINUTE)
    assert trial.scheduler.running == {"slow": first}
    assert "slow still runs; not started again" in log.text
    first.process.kill()
    trial.wait_for_jobs()
    trial.step(2 * MINUTE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(
            "import sys; sys.exit('no luck')", "bad failed, exit status 1: no luck", id="exit-status"
        ),
        pytest.param("print('a\\n\\nlast words\\n'); exit(3)", "exit status 3: last words", id="last-line"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "bad failed, ended by SIGKILL", id="signal"),
        pytest.param("print('fine')", "", id="success-says-nothing"),
    ],
)
def test_a_failure_is_one_line(code: str, expected: str, log: pytest.LogCaptureFixture) -> None:
    trial = Trial(bad=code)
    trial.step(MINUTE)
    trial.wait_for_jobs()
    log.clear()
    trial.step(MINUTE + timedelta(seconds=1))
    assert expected in log.text
    assert len(log.records) == bool(expected)


@pytest.mark.django_db
def test_a_command_that_cannot_be_started_fails_alone(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    trial = Trial(missing="", write=append(tmp_path / "out"))
    trial.scheduler.build = lambda job: (
        ["/no/such/program"] if job.name == "missing" else [sys.executable, "-c", *job.command]
    )
    trial.step(MINUTE)
    trial.wait_for_jobs()
    trial.step(MINUTE)
    assert "missing could not be started" in log.text
    assert (tmp_path / "out").exists()


@pytest.mark.django_db
def test_a_suspended_machine_starts_each_job_once(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    trial = Trial(write=append(tmp_path / "out"))
    trial.step(timedelta(days=1))
    trial.wait_for_jobs()
    trial.step(timedelta(days=1, seconds=1))
    assert (tmp_path / "out").read_text() == "scheduler\n"
    assert "the lease of the scheduler was lost" in log.text


@pytest.mark.django_db
def test_a_second_scheduler_stands_by_and_takes_over_where_the_first_had_come_to(
    log: pytest.LogCaptureFixture,
) -> None:
    assert leases.acquire("scheduler", NOW)
    duty.store_started_until(NOW + MINUTE)
    second = Trial(idle="pass")
    second.step(timedelta(seconds=30))
    assert second.scheduler.running == {}
    Lease.objects.update(expires=NOW)  # the first has died
    second.step(MINUTE)
    assert second.scheduler.running == {}  # the first had already started what was due
    second.step(timedelta(seconds=95))
    assert list(second.scheduler.running) == ["idle"]
    second.wait_for_jobs()
    second.step(timedelta(seconds=96))
    said = [record.getMessage().split(" (")[0] for record in log.records]
    assert said == ["another scheduler is on duty", "takes over"]


@pytest.mark.django_db
def test_what_came_due_while_no_scheduler_ran_is_started_once() -> None:
    duty.store_started_until(NOW - timedelta(hours=3))
    trial = Trial(idle="pass")
    assert list(trial.scheduler.running) == ["idle"]
    trial.wait_for_jobs()
    trial.step(timedelta(0))
    assert trial.scheduler.running == {}


@pytest.mark.django_db
def test_dead_runs_are_reaped() -> None:
    trial = Trial()
    run = JobRun.objects.create(name="x", trigger="cron", started=NOW, host="h", pid=1, fence=1)
    trial.step(timedelta(seconds=30))
    run.refresh_from_db()
    assert run.state == "died"


def job_table(path: Path) -> str:
    return json.dumps({"each": ["* * * * *", append(path)]})


def start_scheduler(start: Start, table: str, **environment: str):
    return start([sys.executable, "-m", "tests.jobs.scheduler_process", table], **environment)


def test_sigterm_ends_a_real_scheduler_cleanly_and_gives_the_lease_back(start: Start, tmp_path: Path) -> None:
    process = start_scheduler(start, job_table(tmp_path / "out"))
    read_until(process, "on duty")
    process.send_signal(signal.SIGTERM)
    status, output = finish(process)
    assert (status, "Traceback" in output) == (0, False)
    assert finish(start("say(Lease.objects.get(name='scheduler').expires)")) == (0, "None\n")


def test_a_real_scheduler_starts_what_is_due_and_ends_it_when_it_ends(start: Start, tmp_path: Path) -> None:
    code = (
        f"import time; print('here', file=open({str(tmp_path / 'out')!r}, 'w'), flush=True); time.sleep(99)"
    )
    before = "from jobs import duty; from datetime import timedelta"
    store = f"{before}; duty.store_started_until(timezone.now() - timedelta(hours=1))"
    assert finish(start(store))[0] == 0
    process = start_scheduler(start, json.dumps({"slow": ["* * * * *", code]}))
    read_until(process, "on duty")
    process.send_signal(signal.SIGINT)
    status, output = finish(process)
    assert status == 0
    assert "slow failed, ended by SIGTERM" in output
    assert (tmp_path / "out").read_text() == "here\n"


def test_a_second_real_scheduler_takes_over_after_kill_9(start: Start, tmp_path: Path) -> None:
    first = start_scheduler(start, job_table(tmp_path / "out"))
    read_until(first, "on duty")
    second = start_scheduler(start, job_table(tmp_path / "out"))
    read_until(second, f"another scheduler is on duty (process {first.pid} on ")
    first.kill()
    read_until(second, "takes over")  # within five seconds, long before the lease expires
    second.terminate()
    assert finish(second)[0] == 0


def test_a_scheduler_outlives_a_database_that_is_away(start: Start, tmp_path: Path) -> None:
    missing = tmp_path / "not" / "there.sqlite3"
    process = start_scheduler(start, job_table(tmp_path / "out"), DATABASE_URL=f"sqlite:///{missing}")
    read_until(process, "going on, and trying again")
    process.terminate()
    status, output = finish(process)
    assert (status, "Traceback" in output) == (0, False)
    assert output.count("trying again") == 0


def test_the_command_refuses_a_table_that_cannot_be_read(start: Start) -> None:
    code = """
from django.core.management import call_command
from django.test import override_settings
with override_settings(PERIODIC_JOBS='tests.jobs.tables.BAD'):
    call_command('scheduler')
"""
    status, output = finish(start(code))
    assert status == 1
    assert "'61 * * * *' is no cron expression" in output
