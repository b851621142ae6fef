"""A whole installation in a folder of its own, on SQLite or PostgreSQL; what its commands cost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks import machine

ROOT = Path(__file__).resolve().parent.parent
SERVER_VARIABLE = "BENCH_DATABASE_URL"
LIMIT_S = 600
# What a command needs of our environment; everything else of it could change the result.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
LAST_RUN = "SELECT started, finished FROM jobs_jobrun WHERE name = 'probe' ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took from its start to its end."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    said: str


@dataclass(slots=True)
class Installation:
    """This checkout's code on a database of its own; ``settings`` are variables of its environment."""

    folder: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        ours = {name: os.environ[name] for name in KEPT if name in os.environ}
        fixed = {"SECRET_KEY": "x" * 50, "DJAMON_ENV_FILE": "", "DATABASE_URL": self.database_url}
        fixed["DJANGO_SETTINGS_MODULE"] = "djamon.settings"
        calm = {"SANDBOX_URLS": "", "TO_EMAIL": "", "SECURE_COOKIES": "False", "LOG_LEVEL": "ERROR"}
        return {**ours, **fixed, **calm, **self.settings}

    def manage(self, *words: str, core: int | None = None, **settings: str) -> Cost:
        """Run a command of manage.py to its end; raises SystemExit with its last words where it fails."""
        return self.python(str(ROOT / "manage.py"), *words, core=core, **settings)

    def python(self, *words: str, core: int | None = None, **settings: str) -> Cost:
        argv = [sys.executable, *words]
        pinned = argv if core is None else machine.on_core(core, *argv)
        return measured(pinned, {**self.environment(), **settings})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return list(connection.execute(sql).fetchall())

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """sqlite3 or psycopg, each statement a transaction of its own."""
        connection: Any = (
            sqlite3.connect(self.sqlite_path, timeout=30, isolation_level=None)
            if self.is_sqlite
            else psycopg.connect(self.database_url, autocommit=True)
        )
        try:
            yield connection
        finally:
            connection.close()

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path:
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def store(self) -> str:
        return "SQLite" if self.is_sqlite else "PostgreSQL"

    def last_sweep_s(self) -> float:
        """Seconds of the last run of the probe job: due, probe, record, judge; without the interpreter."""
        [(started, finished)] = self.rows(LAST_RUN)
        return (_time(finished) - _time(started)).total_seconds()


def _time(stored: str | datetime) -> datetime:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored


def measured(argv: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a program to its end, with what it and its own children used.

    The kernel counts a new program's peak from what its parent held: whoever measures memory stays small.
    """
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        watchdog = threading.Timer(LIMIT_S, process.kill)
        watchdog.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - begin
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(argv)}: exit status {process.returncode}: {said[-2000:]}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def postgresql_server() -> str:
    """The server that BENCH_DATABASE_URL names; empty where there is none."""
    return os.environ.get(SERVER_VARIABLE, "")


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="djamon-bench-") as name:
        yield Path(name)


@contextmanager
def on_sqlite(where: Path, *, copy_of: Path | None = None) -> Iterator[Installation]:
    """An installation on a file in the folder ``where``: new and empty, or a copy of ``copy_of``."""
    path = where / f"{uuid.uuid4().hex[:8]}.sqlite3"
    installation = Installation(where, f"sqlite:///{path}")
    try:
        shutil.copyfile(copy_of or _empty(where), path)
        yield installation
    finally:
        for file in where.glob(f"{path.name}*"):
            file.unlink()


def _empty(where: Path) -> Path:
    """A migrated database without rows; made once in a folder."""
    path = where / "empty.sqlite3"
    if not path.exists():
        Installation(where, f"sqlite:///{path}").manage("migrate", "-v0")
        with closing(sqlite3.connect(path)) as connection:  # everything into the one file that is copied
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@contextmanager
def on_postgresql(where: Path, server: str) -> Iterator[Installation]:
    """An empty installation on a new database of ``server``, which is dropped afterwards."""
    name = f"djamon_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        installation = Installation(where, urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
        installation.manage("migrate", "-v0")
        yield installation
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
