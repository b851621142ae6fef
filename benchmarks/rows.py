"""Writes rows by the million, past the ORM: executemany into SQLite, COPY into PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Protocol

import psycopg

from benchmarks.installation import Installation


class Writer(Protocol):
    """Appends rows to a table; the values stand in the order of ``columns``."""

    def append(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...
    def time(self, at: datetime) -> Any: ...
    def day(self, day: date) -> Any: ...


class SqliteWriter:
    """One transaction for all: the file is new, and is thrown away where this fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def append(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def time(self, at: datetime) -> str:
        return str(at.astimezone(UTC).replace(tzinfo=None))  # as Django writes it

    def day(self, day: date) -> str:
        return day.isoformat()


class PostgresqlWriter:
    """COPY; afterwards the numbers that the database gives out begin behind those that were written."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def append(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        if columns[0] == "id" and table != "monitor_siteview":
            latest = f"(SELECT COALESCE(MAX(id), 1) FROM {table})"
            self._connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {latest})")

    def time(self, at: datetime) -> datetime:
        return at

    def day(self, day: date) -> date:
        return day


@contextmanager
def writer(installation: Installation) -> Iterator[Writer]:
    """Indexes are made when all is written; PostgreSQL's statistics are up to date, as they would be."""
    if installation.is_sqlite:
        with _sqlite(installation) as on_sqlite:
            yield on_sqlite
        return
    with psycopg.connect(installation.database_url) as connection:
        yield PostgresqlWriter(connection)
    with psycopg.connect(installation.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


@contextmanager
def _sqlite(installation: Installation) -> Iterator[SqliteWriter]:
    connection = sqlite3.connect(installation.sqlite_path, isolation_level=None)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND tbl_name IN ('monitor_siteview', 'monitor_sitehour', 'monitor_siteday')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        yield SqliteWriter(connection)
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
