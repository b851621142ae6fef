"""/healthz: is every part of this installation alive? Answers within seconds, whatever is dead.

The scheduler counts as alive while its lease is fresh; or, where cron does its work, while no job of the
table has missed its time. A job that has never run can miss none in the first ten minutes after the migration
that first knew it: a fresh install is not dead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from djamon.lib import hooks
from djamon.lib.commands import database_fault
from djamon.lib.hooks import HealthPart
from djamon.lib.patience import patience
from jobs import leases, queries

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
Source = Callable[[datetime], Iterable[HealthPart]]
AWAY = (DatabaseError, InterfaceError)


def examine(now: datetime) -> list[HealthPart]:
    """All parts: web and database first; the others are asked only if the database answers."""
    web = HealthPart("web", ok=True, detail="answers", age_s=0.0)
    with patience(PATIENCE_S):
        database = _database()
        if not database.ok:
            unknown = "cannot be known while the database does not answer"
            return [web, database, HealthPart("scheduler", ok=False, detail=unknown)]
        return [web, database, *_guarded("scheduler", _scheduler, now), *_registered(now)]


def as_json(parts: Iterable[HealthPart]) -> dict[str, Any]:
    rows = [{"name": p.name, "ok": p.ok, "detail": p.detail, "age_s": p.age_s} for p in parts]
    return {"status": "ok" if all(row["ok"] for row in rows) else "dead", "parts": rows}


def _database() -> HealthPart:
    """A transaction, which on SQLite takes the write lock: where nothing can be written we are of no use."""
    begin = time.monotonic()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except AWAY as error:
        return HealthPart("database", ok=False, detail=database_fault(error))
    took_ms = (time.monotonic() - begin) * 1000
    return HealthPart("database", ok=True, detail=f"answered in {took_ms:.0f} ms", age_s=0.0)


def _scheduler(now: datetime) -> Iterable[HealthPart]:
    leases.reap(now)
    lease = queries.scheduler_lease()
    age_s = (now - lease.renewed).total_seconds() if lease and lease.renewed else None
    if lease and queries.is_scheduler_alive(lease, now):
        return [HealthPart("scheduler", ok=True, detail=f"process {lease.pid} on {lease.host}", age_s=age_s)]
    statuses = queries.statuses(now)
    late = [status.job.name for status in statuses if status.missed]
    if late:
        detail = f"not running, and late: {', '.join(late)}"
        return [HealthPart("scheduler", ok=False, detail=detail, age_s=age_s)]
    starts = [status.last_start for status in statuses if status.last_start]
    if not starts:
        return [HealthPart("scheduler", ok=True, detail="not running; no job has been due yet")]
    age_s = (now - max(starts)).total_seconds()
    return [HealthPart("scheduler", ok=True, detail="not running; cron does the work", age_s=age_s)]


def _registered(now: datetime) -> Iterable[HealthPart]:
    for source in hooks.health_sources:
        yield from _guarded(source.__module__.partition(".")[0], source, now)


def _guarded(name: str, source: Source, now: datetime) -> list[HealthPart]:
    """One part that cannot tell how it is must not keep the others from telling."""
    try:
        return list(source(now))
    except Exception as error:
        log.exception("the health of %s cannot be told", name)
        return [HealthPart(name, ok=False, detail=f"{type(error).__name__}: {error}")]
