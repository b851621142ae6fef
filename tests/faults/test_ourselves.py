"""Our own machine breaks: many sweeps at once, a second host, the database, the disk, descriptors, memory.

That a kill at any step loses nothing is in test_drivers; shorter faults of the database are in tests/e2e.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.e2e.conftest import ROOT, SERVER, Instance
from tests.e2e.peers import WebServer
from tests.faults.limits import GONE_S, LOCKED_S, NO_SECOND_HOST, NO_TMPFS, some

STATE = "SELECT state, failures FROM monitor_site ORDER BY name"


def strike(instance: Instance, web: WebServer, times: int = 2) -> None:
    """shop has failed so often."""
    instance.add_sites(blog=web.url("blog"), shop=web.url("shop"))
    web.codes["shop"] = 503
    for _ in range(times):
        instance.must("probe")


def begun(instance: Instance, web: WebServer) -> subprocess.Popen[str]:
    """A sweep whose sites have been asked and wait with their answer."""
    web.hold.clear()
    web.asked.clear()
    process = instance.start("probe", PROBE_TIMEOUT="60")
    assert web.asked.wait(30)
    return process


# --- Several at once -----------------------------------------------------------------------------
# Ten commands that start within some milliseconds; each says what it did.
TEN = """
import os, sys, django
django.setup()
from django.core.management import call_command
children = []
for _ in range(10):
    child = os.fork()
    if child == 0:
        call_command("probe")
        sys.stdout.flush()
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] for child in children))
"""


def test_of_ten_sweeps_at_once_one_asks_and_nine_say_so(instance, web) -> None:
    instance.add_sites(shop=web.url("shop"))
    web.hold.clear()
    ten = subprocess.Popen(
        [sys.executable, "-c", TEN],
        cwd=ROOT,
        env=instance.environment(PROBE_TIMEOUT="60", DJANGO_SETTINGS_MODULE="djamon.settings"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ten.stdout
    refusals = [ten.stdout.readline() for _ in range(9)]  # while the one still asks
    web.hold.set()
    last, _ = ten.communicate(timeout=60)
    assert ten.returncode == 0
    assert all("is already running" in line for line in refusals), refusals
    assert "1 site asked" in last
    assert instance.value("SELECT count(*) FROM monitor_siteview") == web.seen["shop"] == 1


@pytest.fixture
def second(instance: Instance) -> Instance:
    """The same installation seen from another host: another name, other process ids."""
    enter = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    named = ["sh", "-c", 'hostname second-host && exec "$@"', "sh"]
    return Instance(instance.folder, instance.database_url, instance.settings, [*enter, *named])


second_host = pytest.mark.skipif(bool(NO_SECOND_HOST), reason=NO_SECOND_HOST)


@second_host
def test_a_second_host_waits_for_the_first(instance, second, web) -> None:
    instance.add_sites(shop=web.url("shop"))
    first = begun(instance, web)
    said = second.must("probe")
    web.hold.set()
    assert "3 up" not in said
    assert "is already running" in said
    first.communicate(timeout=60)
    assert "1 site asked" in second.must("probe")
    assert instance.rows("SELECT host FROM jobs_jobrun ORDER BY id DESC LIMIT 1") == [("second-host",)]


@second_host
def test_a_host_that_was_taken_for_dead_writes_nothing_when_it_wakes(instance, second, web) -> None:
    strike(instance, web)
    first = begun(instance, web)
    first.send_signal(signal.SIGSTOP)
    with instance.connect() as connection:  # a minute without a sign
        connection.execute("UPDATE jobs_lease SET expires = '2026-01-01 00:00:00' WHERE name = 'probe'")
    web.hold.set()
    assert "1 failed; outage" in second.must("probe")
    first.send_signal(signal.SIGCONT)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 1
    assert "lease" in err
    assert instance.rows(STATE) == [("up", 0), ("down", 3)]
    assert instance.value("SELECT count(*) FROM monitor_siteview") == 6


@second_host
def test_what_a_dead_host_left_is_taken_over_when_its_lease_is_over(instance, second, web) -> None:
    strike(instance, web)
    first = begun(second, web)
    first.kill()
    first.communicate(timeout=60)
    web.hold.set()
    assert "is already running" in instance.must("probe")  # nobody here can know that it is dead
    with instance.connect() as connection:
        connection.execute("UPDATE jobs_lease SET expires = '2026-01-01 00:00:00' WHERE name = 'probe'")
    assert "outage" in instance.must("probe")
    assert instance.value("SELECT count(*) FROM jobs_jobrun WHERE state = 'died'") == 1


# --- The database --------------------------------------------------------------------------------
def test_a_database_that_is_locked_for_a_while_delays_the_run_and_no_more(instance, web) -> None:
    strike(instance, web)
    sweep = begun(instance, web)
    with instance.connect() as connection:
        if instance.is_sqlite:
            connection.execute("BEGIN EXCLUSIVE")
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE monitor_site IN ACCESS EXCLUSIVE MODE")
        web.hold.set()
        time.sleep(LOCKED_S)  # the fault itself
        connection.execute("ROLLBACK")
    out, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 0, err
    assert "1 up, 1 failed" in out
    assert instance.rows(STATE) == [("up", 0), ("down", 3)]


@pytest.mark.skipif(not SERVER, reason="a file has no line that breaks; runs on PostgreSQL")
def test_a_server_that_is_gone_in_the_middle_costs_a_run_and_no_strike(instance, web, proxy) -> None:
    strike(instance, web)
    parts = urlsplit(instance.database_url)
    address = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
    through = Instance(instance.folder, urlunsplit(parts._replace(netloc=address)), instance.settings)
    sweep = begun(through, web)
    proxy.cut()
    web.hold.set()
    time.sleep(GONE_S)  # the fault itself
    if sweep.poll() is None:
        proxy.mend()
    _, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 1
    assert [line for line in err.splitlines() if "database: " in line]
    assert "Traceback" not in err
    proxy.mend()
    assert instance.rows(STATE) == [("up", 0), ("failing", 2)]
    assert "outage" in through.must("probe")


@pytest.mark.skipif(bool(SERVER), reason="the server's disk is not ours to fill; runs on SQLite")
@pytest.mark.skipif(bool(NO_TMPFS), reason=NO_TMPFS)
def test_a_full_disk_is_one_line_and_no_strike_and_goes_on_when_there_is_room(
    instance, web, small_disk
) -> None:
    strike(instance, web)
    shutil.copy(instance.sqlite_path, small_disk / "db.sqlite3")
    instance.database_url = f"sqlite:///{small_disk / 'db.sqlite3'}"
    ballast = small_disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:  # until no space is left
        while True:
            file.write(b"x" * 4096)
    done = instance.run("probe")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "database: " in done.stderr  # "disk I/O error" or "database or disk is full", as SQLite sees it
    ballast.unlink()
    assert instance.rows(STATE) == [("up", 0), ("failing", 2)]
    assert "outage 1 opened" in instance.must("probe")


# --- Descriptors and memory ----------------------------------------------------------------------
def limited(instance: Instance, limit: str) -> Instance:
    prefix = ["sh", "-c", f'{limit}; exec "$@"', "sh"]
    return Instance(instance.folder, instance.database_url, instance.settings, prefix)


@pytest.mark.parametrize("count", some([64, 32, 16, 12], every=3))
def test_few_descriptors_are_no_sites_fault(count, instance, web) -> None:
    instance.add_sites(**{f"s{n}": web.url(f"s{n}") for n in range(30)})
    done = limited(instance, f"ulimit -n {count}").run("probe")
    assert "failed" not in done.stdout
    assert {state for state, _ in instance.rows(STATE)} <= {"up", "unknown"}
    assert count < 64 or done.returncode == 0, done.stderr


@pytest.mark.parametrize("megabytes", some([150, 100, 400], every=3))
def test_too_little_memory_is_no_sites_fault(megabytes, instance, web) -> None:
    instance.add_sites(**{f"s{n}": web.url(f"s{n}") for n in range(30)})
    done = limited(instance, f"ulimit -v {megabytes * 1024}").run("probe")
    assert "failed" not in done.stdout
    assert {state for state, _ in instance.rows(STATE)} <= {"up", "unknown"}
    instance.must("probe")
    assert {state for state, _ in instance.rows(STATE)} == {"up"}
    assert megabytes < 400 or done.returncode == 0, done.stderr
