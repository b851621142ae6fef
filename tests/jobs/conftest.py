"""A database that other processes can open too, and real Python processes that work on it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

Start = Callable[..., subprocess.Popen[str]]

LONGEST_S = 60.0
SET_UP = """
import os, sys, time
import django
django.setup()
from django.db import connection, transaction
from django.utils import timezone
from jobs import leases
from jobs.models import *
from jobs.runner import run_job
def say(*words):
    print(*words, flush=True)
"""


def python_environment(database_url: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a migrated database, made once; tests work on copies of it."""
    with contextlib.ExitStack() as cleaning:
        if postgresql := _postgresql_url():
            url = cleaning.enter_context(_new_database(postgresql, "template0"))
        else:
            url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'empty.sqlite3'}"
        subprocess.run(
            [sys.executable, settings.BASE_DIR / "manage.py", "migrate", "-v0", "--skip-checks"],
            env=python_environment(url),
            check=True,
        )
        yield url


@pytest.fixture
def database_url(empty_database: str, tmp_path: Path) -> Iterator[str]:
    with contextlib.ExitStack() as cleaning:
        if postgresql := _postgresql_url():
            template = empty_database.rpartition("/")[2]
            yield cleaning.enter_context(_new_database(postgresql, template))
        else:
            copy = tmp_path / "djamon.sqlite3"
            copy.write_bytes(Path(empty_database.removeprefix("sqlite:///")).read_bytes())
            yield f"sqlite:///{copy}"


def _postgresql_url() -> str:
    url = os.environ.get("TEST_DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


@contextlib.contextmanager
def _new_database(url: str, template: str) -> Iterator[str]:
    name = f"djamon_jobs_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    """Starts Python code (after SET_UP) or an argv as a process; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    watchdogs: list[threading.Timer] = []

    def begin(code: str | list[str], **more: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", SET_UP + code] if isinstance(code, str) else code
        process = subprocess.Popen(
            argv,
            env=python_environment(database_url, **more),
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        watchdog = threading.Timer(
            LONGEST_S, process.kill
        )  # a test that waits for it fails instead of hanging
        watchdog.daemon = True
        watchdog.start()
        watchdogs.append(watchdog)
        return process

    yield begin
    for watchdog in watchdogs:
        watchdog.cancel()
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line the process says; it blocks until then."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def read_until(process: subprocess.Popen[str], *words: str) -> list[str]:
    """All lines until each of ``words`` has come, in any order; fails where the process ends before."""
    lines: list[str] = []
    missing = set(words)
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        missing = {word for word in missing if word not in line}
        if not missing:
            return lines
    raise AssertionError(f"{missing} did not come; instead: {lines}")


def say(process: subprocess.Popen[str], line: str) -> None:
    """Give the process a line to read."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str], timeout_s: float = 30) -> tuple[int, str]:
    """Exit status and the rest of what it said."""
    output, _ = process.communicate(timeout=timeout_s)
    return process.returncode, output
