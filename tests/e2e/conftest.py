"""A whole installation in a folder of its own: real processes, a real database, real peers on loopback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.alerts.servers import MailRules, mail_server
from tests.e2e.peers import MailServer, WebServer

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = os.environ.get("TEST_DATABASE_URL", "")
LIMIT_S = 60


@dataclass
class Instance:
    """An installation that runs this checkout on a database of its own."""

    folder: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        own = {"SECRET_KEY": "x" * 50, "DJAMON_ENV_FILE": "", "SANDBOX_URLS": "", "PROBE_TIMEOUT": "2"}
        own |= {"DATABASE_URL": self.database_url, "EMAIL_TIMEOUT": "2", "KODEMON_PORT": "0"}
        return {"PATH": os.environ["PATH"], **own, **self.settings, **extra}

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.prefix, sys.executable, str(ROOT / "manage.py"), *words],
            env=self.environment(**extra),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **extra)
        out, err = process.communicate(timeout=LIMIT_S)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def must(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_sites(self, **urls: str) -> None:
        file = self.folder / "sites.csv"
        file.write_text("group,name,url\n" + "".join(f"Web,{name},{url}\n" for name, url in urls.items()))
        self.must("import_sites", str(file))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return list(connection.execute(sql).fetchall())

    def value(self, sql: str) -> Any:
        return self.rows(sql)[0][0]

    def connect(self) -> Any:
        if self.is_sqlite:
            return _Closing(sqlite3.connect(self.sqlite_path, timeout=30, isolation_level=None))
        return psycopg.connect(self.database_url, autocommit=True)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> str:
        return self.database_url.removeprefix("sqlite:///")


class _Closing:
    """sqlite3's own context manager commits and leaves the file open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, *_details: object) -> None:
        self.connection.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A migrated, empty installation that others are copied from."""
    folder = tmp_path_factory.mktemp("template")
    if not SERVER:
        instance = Instance(folder, f"sqlite:///{folder / 'db.sqlite3'}")
        instance.must("migrate", "-v0")
        yield instance
        return
    name = f"djamon_template_{uuid.uuid4().hex[:8]}"
    _on_server(f"CREATE DATABASE {name}")
    instance = Instance(folder, _named(name))
    instance.must("migrate", "-v0")
    yield instance
    _on_server(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def copy_of(template: Instance, folder: Path) -> Iterator[Instance]:
    """The same installation in another folder, with a database of its own."""
    if template.is_sqlite:
        shutil.copy(template.sqlite_path, folder / "db.sqlite3")
        yield Instance(folder, f"sqlite:///{folder / 'db.sqlite3'}")
        return
    name, source = f"djamon_{uuid.uuid4().hex[:8]}", urlsplit(template.database_url).path[1:]
    # A process that has just ended may still be taken for connected, and nobody may be.
    _on_server(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'")
    _on_server(f"CREATE DATABASE {name} TEMPLATE {source}")
    yield Instance(folder, _named(name))
    _on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def instance(template: Instance, tmp_path: Path) -> Iterator[Instance]:
    with copy_of(template, tmp_path) as made:
        yield made


@pytest.fixture
def mail() -> Iterator[MailServer]:
    rules = MailRules()
    with mail_server(rules) as port:
        yield MailServer(rules, port)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def _named(database: str) -> str:
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{database}"))


def _on_server(sql: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(sql)
