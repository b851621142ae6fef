"""The database is locked, gone or read-only: one line, exit status 1, no strike, the next run goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import SERVER, Instance
from tests.e2e.whole import up


@contextmanager
def locked(instance: Instance) -> Iterator[dict[str, str]]:
    """Another process writes and does not end."""
    with instance.connect() as connection:
        if instance.is_sqlite:
            connection.execute("BEGIN EXCLUSIVE")
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE jobs_lease, monitor_site IN ACCESS EXCLUSIVE MODE")
        yield {}
        connection.execute("ROLLBACK")


@contextmanager
def gone(instance: Instance) -> Iterator[dict[str, str]]:
    """The file's folder, or the server, cannot be reached."""
    url = (
        "postgres://nobody@127.0.0.1:1/none" if SERVER else f"sqlite:///{instance.folder}/nowhere/db.sqlite3"
    )
    yield {"DATABASE_URL": url}


@contextmanager
def read_only(instance: Instance) -> Iterator[dict[str, str]]:
    if instance.is_sqlite:
        with read_only_files(instance):
            yield {}
        return
    name = instance.database_url.rsplit("/", 1)[1]
    with instance.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    yield {}
    with instance.connect() as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


@contextmanager
def read_only_files(instance: Instance) -> Iterator[None]:
    """Permissions that count for root too: its override is taken from the process."""
    file = Path(instance.sqlite_path)
    file.chmod(0o444)
    file.parent.chmod(0o555)
    instance.prefix = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    yield
    instance.prefix = []
    file.parent.chmod(0o755)
    file.chmod(0o644)


@pytest.mark.skipif(not SERVER, reason="a file has no connections that break; runs on PostgreSQL")
def test_pages_are_there_at_once_when_the_database_server_is_back(instance) -> None:
    instance.add_sites(shop="http://127.0.0.1:9/")
    with up(instance) as (port, _):
        page = f"http://127.0.0.1:{port}/group/web/data.json"
        before = requests.get(page, timeout=10)
        with instance.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert (before.status_code, requests.get(page, timeout=10).status_code) == (200, 200)


@pytest.mark.parametrize("fault", [locked, gone, read_only])
def test_a_database_fault_is_one_line_and_no_strike(fault, instance, web) -> None:
    instance.add_sites(shop=web.url("shop"))
    web.codes["shop"] = 500
    instance.must("probe")
    with fault(instance) as settings:
        done = instance.run("probe", DATABASE_WAIT="0.5", **settings)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "database: " in done.stderr
    assert instance.rows("SELECT failures, state FROM monitor_site") == [(1, "failing")]
    instance.must("probe")
    assert instance.rows("SELECT failures FROM monitor_site") == [(2,)]
