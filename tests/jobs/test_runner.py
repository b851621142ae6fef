from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from djamon.lib.commands import DjamonError
from jobs import recording
from jobs.errors import AlreadyRunning, LocalFault
from jobs.models import JobRun, Lease
from jobs.runner import JobContext, run_job
from tests.jobs.conftest import Start, finish, read_line, say

FOREVER = "run_job('sweep', lambda context: say('at work') or time.sleep(60) or '')"
REPORT = """
for run in JobRun.objects.order_by('pk'):
    say(run.state, '|', run.trigger, '|', run.message, '|', run.finished is not None)
"""


@pytest.mark.django_db
def test_a_run_keeps_what_it_was_given_and_what_it_said() -> None:
    run = run_job("sweep", lambda _: "asked  3\nsites", arguments={"site": ["a"]}, trigger="page")
    run.refresh_from_db()
    assert (run.state, run.message, run.arguments, run.trigger) == (
        "done",
        "asked 3 sites",
        {"site": ["a"]},
        "page",
    )
    assert run.finished is not None
    assert run.finished >= run.started
    assert Lease.objects.get().expires is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variable", "trigger"),
    [(None, "command"), ("", "command"), ("cron", "cron")],
    ids=["unset", "empty", "cron"],
)
def test_the_trigger_comes_from_the_environment(
    variable: str | None, trigger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DJAMON_TRIGGER", raising=False)
    if variable is not None:
        monkeypatch.setenv("DJAMON_TRIGGER", variable)
    assert run_job("sweep", lambda _: "").trigger == trigger


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        pytest.param(
            LocalFault("no sandbox URL answered"), "fault", "no sandbox URL answered", id="local-fault"
        ),
        pytest.param(DjamonError("no such site"), "failed", "no such site", id="expected"),
        pytest.param(ValueError("odd"), "failed", "ValueError: odd", id="bug"),
        pytest.param(OperationalError("disk full"), "failed", "database: disk full", id="database"),
        pytest.param(KeyboardInterrupt(), "failed", "interrupted (KeyboardInterrupt)", id="ctrl-c"),
    ],
)
def test_an_error_is_recorded_and_goes_on(error: BaseException, state: str, message: str) -> None:
    def work(_context: JobContext) -> str:
        raise error

    with pytest.raises(type(error)):
        run_job("sweep", work)
    run = JobRun.objects.get()
    assert (run.state, run.message) == (state, message)
    assert Lease.objects.get().expires is None
    assert Lease.objects.get().latest_finished == run


@pytest.mark.django_db
def test_an_equal_job_is_refused_while_one_runs_and_another_is_not() -> None:
    def work(_context: JobContext) -> str:
        with pytest.raises(AlreadyRunning, match="sweep is already running"):
            run_job("sweep", lambda _: "")
        return run_job("purge", lambda _: "nested").message

    assert run_job("sweep", work).message == "nested"
    assert JobRun.objects.count() == 2


@pytest.mark.django_db
def test_the_last_progress_is_stored_with_the_end() -> None:
    def work(context: JobContext) -> str:
        context.progress(7, 9, "asking")
        return "done"

    run_job("sweep", work)
    assert JobRun.objects.values_list("progress_done", "progress_total").get() == (7, 9)


@pytest.mark.django_db
def test_runs_that_are_too_old_go_in_portions_but_the_last_stays() -> None:
    old = timezone.now() - timedelta(days=settings.JOB_RUNS_KEEP_DAYS, minutes=1)
    fresh = timezone.now() - timedelta(days=settings.JOB_RUNS_KEEP_DAYS - 1)
    JobRun.objects.bulk_create(
        JobRun(name=name, trigger="cron", state="done", started=started, host="h", pid=1, fence=0)
        for name, started in [("sweep", old)] * 3 + [("sweep", fresh), ("purge", old)]
    )
    run_job("sweep", lambda _: "")
    assert JobRun.objects.filter(name="sweep").count() == 2
    assert JobRun.objects.filter(name="purge").count() == 1
    assert recording.prune("sweep", timezone.now() + timedelta(days=999)) == 1


def test_of_two_processes_at_once_one_runs_and_one_is_refused(start: Start) -> None:
    first = start(FOREVER)
    assert read_line(first) == "at work"
    second = start("try:\n    run_job('sweep', lambda _: '')\nexcept Exception as error:\n    say(error)")
    status, output = finish(second)
    assert status == 0
    assert "sweep is already running: run 1 since" in output
    assert f"(process {first.pid})" in output


def test_many_processes_that_begin_at_once_never_overlap(start: Start, tmp_path) -> None:
    code = f"""
def work(context):
    os.close(os.open({str(tmp_path / "alone")!r}, os.O_CREAT | os.O_EXCL))
    time.sleep(0.1)
    os.unlink({str(tmp_path / "alone")!r})
    return ''
sys.stdin.readline()
for _ in range(5):
    try:
        say(run_job('sweep', work).state)
    except Exception as error:
        say(type(error).__name__)
"""
    several = [start(code) for _ in range(4)]
    for process in several:
        say(process, "go")
    outcomes = [word for process in several for word in finish(process)[1].split()]
    assert set(outcomes) <= {"done", "AlreadyRunning"}
    assert "done" in outcomes
    assert len(outcomes) == 20


def test_after_kill_9_the_next_run_goes_at_once_and_marks_the_dead_one(start: Start) -> None:
    killed = start(FOREVER)
    assert read_line(killed) == "at work"
    killed.kill()  # no wait(): as a zombie it must count as dead too
    status, output = finish(start("run_job('sweep', lambda _: 'went on')\n" + REPORT))
    assert status == 0
    died, done = output.splitlines()
    assert died.startswith(f"died | command | process {killed.pid} on ")
    assert died.endswith(" died | True")
    assert done == "done | command | went on | True"


def test_sigterm_ends_a_run_with_its_end_stored(start: Start) -> None:
    process = start(FOREVER)
    assert read_line(process) == "at work"
    os.kill(process.pid, signal.SIGTERM)
    assert finish(process)[0] == 1
    assert finish(start(REPORT))[1] == "failed | command | interrupted (SIGTERM) | True\n"


def test_an_overtaken_run_cannot_write_under_its_lease(start: Start) -> None:
    code = """
def work(context):
    say('at work')
    sys.stdin.readline()
    with transaction.atomic():
        context.hold()
        say('wrote')
    return ''
try:
    run_job('sweep', work)
except Exception as error:
    say(type(error).__name__)
"""
    overtaken = start(code)
    assert read_line(overtaken) == "at work"
    later = "leases.acquire('sweep', timezone.now() + leases.LEASE); say('taken')"
    assert finish(start(later)) == (0, "taken\n")
    say(overtaken, "go")
    assert finish(overtaken) == (0, "LeaseLost\n")


def test_a_takeover_waits_for_the_transaction_that_holds(start: Start) -> None:
    code = """
held = leases.acquire('sweep')
with transaction.atomic():
    leases.hold(held)
    say('holding')
    sys.stdin.readline()
    Checkpoint.objects.create(job='sweep', key='written', value=1)
"""
    holder = start(code)
    assert read_line(holder) == "holding"
    taker = start(
        "say('asking'); leases.acquire('sweep', timezone.now() + leases.LEASE);"
        "say(Checkpoint.objects.filter(key='written').count())"
    )
    assert read_line(taker) == "asking"
    say(holder, "go")
    assert finish(taker) == (0, "1\n")


def test_a_database_that_is_gone_is_an_operational_error(start: Start, tmp_path) -> None:
    code = """
from django.db import OperationalError
try:
    run_job('sweep', lambda _: '')
except OperationalError:
    say('gone')
"""
    missing = f"sqlite:///{tmp_path / 'no' / 'such.sqlite3'}"
    assert finish(start(code, DATABASE_URL=missing)) == (0, "gone\n")
