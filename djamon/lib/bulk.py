"""Many rows at once, past the ORM's models: a sweep of 10,000 sites writes as many views and states.

The ORM makes an object of each row and asks each field for each value: 40 µs a row where this takes 6. The
price: values are taken as they are (no defaults, no validation, no signals), and datetimes must have a zone.
SQLite gets one prepared statement, PostgreSQL a COPY or one UPDATE from arrays, and sends rows as it keeps
them. The transaction is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]
Convert = Callable[[Any], Any]


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert ``rows``, whose values stand in the order of the fields ``names``."""
    connection, fields = _connection(model), _fields(model, names)
    values = _converted(connection, fields, rows)
    if not values:
        return
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Django's cursor turns the driver's errors into its own, but not those of a COPY.
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608


def update(model: type[models.Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Set the fields ``names`` of rows that exist; the last value of each row is its primary key."""
    connection, fields = _connection(model), _fields(model, [*names, "pk"])
    values = _converted(connection, fields, rows)
    if not values:
        return
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(fields[-1].column))
    columns = [quote(str(field.column)) for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sets = ", ".join(f"{column} = fresh.{column}" for column in columns[:-1])
            arrays = ", ".join(f"%b::{_element_type(field, connection)}[]" for field in fields)
            source = f"unnest({arrays}) AS fresh ({', '.join(columns)})"
            sql = f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.{key} = fresh.{key}"  # noqa: S608
            _execute_binary(connection, sql, [list(column) for column in zip(*values, strict=True)])
        else:
            sets = ", ".join(f"{column} = %s" for column in columns[:-1])
            cursor.executemany(f"UPDATE {table} SET {sets} WHERE {key} = %s", values)  # noqa: S608


def read(rows: models.QuerySet[Any, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of a ``values_list`` of numbers and texts; from PostgreSQL in half the time of text."""
    connection = connections[rows.db]
    try:
        sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # a filter that nothing can meet
        return []
    found: list[tuple[Any, ...]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with _binary_cursor(connection) as binary:
                found = binary.execute(sql, parameters, binary=True).fetchall()
        else:
            cursor.execute(sql, parameters)
            found = cursor.fetchall()
    return found


def _execute_binary(connection: BaseDatabaseWrapper, sql: str, arrays: Sequence[list[Any]]) -> None:
    """Parameters as the server keeps them: Django's cursor writes them into the statement, as text, which
    takes five times as long for 10,000 rows.
    """
    with _binary_cursor(connection) as cursor:
        cursor.execute(sql, arrays)


@contextmanager
def _binary_cursor(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """The driver's own, which Django's cannot be: errors are Django's, and it counts no query."""
    import psycopg  # noqa: PLC0415  (takes a while to load, which nobody with SQLite should pay for)

    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def _connection(model: type[models.Model]) -> BaseDatabaseWrapper:
    return connections[router.db_for_write(model)]


def _fields(model: type[models.Model], names: Sequence[str]) -> list[models.Field[Any, Any]]:
    """The fields by name; ``site_id`` names a foreign key's column, ``pk`` the primary key."""
    by_name = {name: field for field in model._meta.concrete_fields for name in (field.name, field.attname)}
    primary = model._meta.pk
    assert primary is not None  # noqa: S101  (only an abstract model has none)
    return [primary if name == "pk" else by_name[name] for name in names]


def _element_type(field: models.Field[Any, Any], connection: BaseDatabaseWrapper) -> str:
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))


def _converted(
    connection: BaseDatabaseWrapper, fields: Sequence[models.Field[Any, Any]], rows: Iterable[Row]
) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them: converted column by column, most columns being fit as they are."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    if not columns:
        return []
    for place, field in enumerate(fields):
        if convert := _converter(field, connection.vendor):
            columns[place] = [None if value is None else convert(value) for value in columns[place]]
    return list(zip(*columns, strict=True))


def _converter(field: models.Field[Any, Any], vendor: str) -> Convert | None:
    if isinstance(field, models.IntegerField):
        return int  # an IntEnum is one for SQLite, but not for every driver
    if vendor == "sqlite":
        if isinstance(field, models.DateTimeField):
            return _sqlite_datetime
        if isinstance(field, models.UUIDField):
            return _sqlite_uuid
    return None


def _sqlite_datetime(value: datetime) -> str:
    """As Django stores it: UTC without its zone."""
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _sqlite_uuid(value: UUID) -> str:
    return value.hex
