from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djamon.lib.databases import OUR_POSTGRESQL, SQLITE, database_from_url


def database(url: str, base_dir: Path = Path("/base"), pool_size: int = 0) -> dict[str, Any]:
    return database_from_url(url, base_dir=base_dir, pool_size=pool_size, wait_s=2.5)


NAMES = {
    "relative": ("sqlite:///data/x.sqlite3", "/base/data/x.sqlite3"),
    "absolute": ("sqlite:////srv/x.sqlite3", "/srv/x.sqlite3"),
    "memory": ("sqlite://:memory:", ":memory:"),
    "with a space": ("sqlite:////srv/a%20b.sqlite3", "/srv/a b.sqlite3"),
}


@pytest.mark.parametrize(("url", "name"), NAMES.values(), ids=NAMES)
def test_where_a_sqlite_file_is(url, name) -> None:
    settings = database(url)
    assert (settings["ENGINE"], settings["NAME"]) == (SQLITE, name)


def test_the_default_folder_is_made(tmp_path) -> None:
    settings = database("sqlite:///var/x.sqlite3", tmp_path)
    assert Path(settings["NAME"]).parent.is_dir()


def test_sqlite_is_tuned(tmp_path) -> None:
    options = database(f"sqlite:///{tmp_path}/x.sqlite3")["OPTIONS"]
    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 2.5)
    with sqlite3.connect(tmp_path / "x.sqlite3") as connection:
        connection.executescript(options["init_command"])
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_postgresql_gives_up_after_a_while() -> None:
    settings = database("postgres://user:p%40ss@db.example:5433/name")
    assert settings["ENGINE"] == OUR_POSTGRESQL
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", 5433, "name")
    assert (settings["USER"], settings["PASSWORD"]) == ("user", "p@ss")
    assert settings["OPTIONS"] == {"connect_timeout": 5, "options": "-c lock_timeout=2500"}


def test_postgresql_may_be_pooled() -> None:
    settings = database("postgres://localhost/name", pool_size=7)
    assert settings["OPTIONS"]["pool"]["max_size"] == 7


@pytest.mark.parametrize(
    "url",
    [
        "mysql://localhost/x",
        "oracle://localhost/x",
        "http://x",
        "djamon",
        "",
        "sqlite",
        "sqlite:",
        "sqlite://",
        "postgres:///",
    ],
)
def test_another_store_is_refused_by_the_variables_name(url) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL: "):
        database(url)


def test_a_password_that_breaks_the_address_is_not_shown() -> None:
    with pytest.raises(ImproperlyConfigured, match="%2F") as refusal:
        database("postgres://user:s3cret/word@localhost/x")
    assert "s3cret" not in str(refusal.value)
