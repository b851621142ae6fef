"""A database connection that gives up early: for who must answer within seconds, or must not stand still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def patience(seconds: float, alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Within, this thread connects anew and waits about ``seconds`` for the server, a lock or a query.

    A connection that is open already stays as it is: it has shown that it works, and its owner is using it.
    """
    database = connections[alias]
    if database.connection is not None:
        yield
        return
    usual = database.settings_dict
    database.settings_dict = {**usual, "OPTIONS": _hurried(database.vendor, usual["OPTIONS"], seconds)}
    try:
        yield
    finally:
        database.close()
        database.settings_dict = usual


def _hurried(vendor: str, options: dict[str, Any], seconds: float) -> dict[str, Any]:
    if vendor == "sqlite":
        return {**options, "timeout": seconds}
    limit_ms = int(seconds * 1000)
    direct = {key: value for key, value in options.items() if key != "pool"}  # a pool has a wait of its own
    return {
        **direct,
        "connect_timeout": max(1, round(seconds)),
        # A query gets a little longer than a lock, so that the error names the lock where there is one.
        "options": f"-c lock_timeout={limit_ms} -c statement_timeout={limit_ms + limit_ms // 4}",
    }
