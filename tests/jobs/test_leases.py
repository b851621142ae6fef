from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from djamon.lib import processes
from jobs import leases, recording
from jobs.errors import AlreadyRunning, LeaseLost
from jobs.models import JobRun, Lease

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 6, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def started(now: datetime = NOW) -> tuple[JobRun, leases.Held]:
    return recording.start("sweep", {}, "command", now)


def held_by(process: str, host: str = "elsewhere", pid: int = 99) -> tuple[JobRun, leases.Held]:
    """A run whose holder is ``process`` instead of this one."""
    run, held = started()
    Lease.objects.update(holder=process, host=host, pid=pid)
    JobRun.objects.update(host=host, pid=pid)
    return run, held


def test_a_second_holder_is_refused_and_each_acquire_raises_the_fence() -> None:
    first = leases.acquire("sweep", NOW)
    assert first == leases.Held("sweep", 1)
    assert leases.acquire("sweep", NOW) is None
    leases.release(first)
    assert leases.acquire("sweep", NOW) == leases.Held("sweep", 2)


def test_leases_of_other_names_are_free() -> None:
    assert leases.acquire("sweep", NOW)
    assert leases.acquire("purge", NOW)


@pytest.mark.parametrize(
    ("seconds", "free"),
    [
        pytest.param(59.9, False, id="just-before"),
        pytest.param(60, True, id="at-its-expiry"),
        pytest.param(3600, True, id="long-after"),
    ],
)
def test_a_lease_from_another_machine_is_free_when_it_expires(seconds: float, free: bool) -> None:
    held_by("another-boot/pid:[1] 99 5")
    assert bool(leases.acquire("sweep", NOW + timedelta(seconds=seconds))) is free


def test_a_renewal_holds_for_another_minute() -> None:
    held = leases.acquire("sweep", NOW)
    assert held
    assert leases.renew(held, NOW + 59 * SECOND)
    assert leases.acquire("sweep", NOW + 118 * SECOND) is None


def test_an_expired_lease_cannot_be_renewed() -> None:
    held = leases.acquire("sweep", NOW)
    assert held
    assert not leases.renew(held, NOW + 60 * SECOND)


def test_who_takes_over_marks_the_run_of_a_silent_holder_as_died() -> None:
    run, _ = held_by("another-boot/pid:[1] 99 5")
    assert leases.acquire("sweep", NOW + 61 * SECOND) == leases.Held("sweep", 2)
    run.refresh_from_db()
    assert (run.state, run.finished) == ("died", NOW + 61 * SECOND)
    assert run.message == "process 99 on elsewhere gave no sign for 60 seconds"


def test_a_dead_holder_on_this_machine_is_recognised_before_its_lease_expires() -> None:
    no_such_start = processes.Process(processes.this_machine(), processes.this_process().pid, 1)
    run, _ = held_by(str(no_such_start), host="here", pid=no_such_start.pid)
    assert leases.acquire("sweep", NOW + SECOND) == leases.Held("sweep", 2)
    run.refresh_from_db()
    assert (run.state, run.message) == ("died", f"process {no_such_start.pid} on here died")


def test_reaping_marks_dead_runs_and_leaves_the_living() -> None:
    living, _ = started()
    dead = recording.start("purge", {}, "cron", NOW)[0]
    Lease.objects.filter(name="purge").update(holder="another-boot/pid:[1] 99 5", expires=NOW)
    assert leases.reap(NOW) == 1
    assert leases.reap(NOW) == 0
    assert JobRun.objects.get(pk=living.pk).state == "running"
    assert JobRun.objects.get(pk=dead.pk).state == "died"
    assert Lease.objects.get(name="purge").latest_finished == dead


def test_a_run_without_a_lease_has_died() -> None:
    run, held = started()
    leases.release(held)
    assert leases.reap(NOW) == 1
    run.refresh_from_db()
    assert run.state == "died"


def test_hold_renews_the_lease_and_asks_for_a_transaction(transactional_db: None) -> None:
    held = leases.acquire("sweep", NOW)
    assert held
    with pytest.raises(transaction.TransactionManagementError):
        leases.hold(held, NOW)
    with transaction.atomic():
        leases.hold(held, NOW + 30 * SECOND)
    assert Lease.objects.get().expires == NOW + 90 * SECOND


def test_hold_refuses_after_a_takeover_and_nothing_is_written() -> None:
    _, held = held_by("another-boot/pid:[1] 99 5")
    assert leases.acquire("sweep", NOW + 61 * SECOND)
    with pytest.raises(LeaseLost, match="the lease of sweep was lost"), transaction.atomic():
        leases.hold(held, NOW + 61 * SECOND)


def test_hold_refuses_once_the_clock_has_jumped_past_the_expiry() -> None:
    _, held = started()
    with pytest.raises(LeaseLost), transaction.atomic():
        leases.hold(held, NOW + timedelta(days=1))


def test_a_late_end_of_an_overtaken_run_leaves_the_new_lease_alone() -> None:
    run, held = held_by("another-boot/pid:[1] 99 5")
    second, _ = started(NOW + 61 * SECOND)
    recording.finish(run, held, JobRun.State.DONE, "asked 3 sites", NOW + 62 * SECOND)
    lease = Lease.objects.get()
    assert (lease.fence, lease.latest_run) == (2, second)
    assert lease.expires == NOW + 121 * SECOND


def test_the_refusal_says_which_run_since_when_and_where() -> None:
    run, _ = held_by("another-boot/pid:[1] 99 5")
    words = rf"sweep is already running: run {run.pk} since 2025-06-02 09:00:00 on elsewhere \(process 99\)"
    with pytest.raises(AlreadyRunning, match=words):
        started(NOW + SECOND)


def test_reaping_reads_little_however_long_the_history(django_assert_num_queries) -> None:
    started()
    JobRun.objects.bulk_create(
        JobRun(name="sweep", trigger="cron", state="done", started=NOW, host="h", pid=1, fence=n)
        for n in range(50)
    )
    with django_assert_num_queries(2):
        leases.reap(NOW)
