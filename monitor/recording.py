"""Writes what a run saw: views, the sites' current state, outages and alerts, in one transaction.

Judging is done by monitor.strikes; this file reads the standing, asks the rule and stores what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from monitor import outages
from monitor.models import Site, SiteView
from monitor.recent import appended
from monitor.strikes import Event, Standing, judge
from monitor.verdicts import ProbeResult, Verdict

REASON_LIMIT = 200
BATCH = 500  # rows a statement: SQLite takes 32,766 values in one


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written; ``skipped`` counts sites that were edited, paused or deleted meanwhile."""

    views: int
    skipped: int
    change: outages.Change | None


@dataclass(frozen=True, slots=True)
class Row:
    """The part of a site's row that a run reads and judges by."""

    id: int
    name: str
    url: str
    state: str
    failures: int
    state_since: datetime | None
    recent: str

    @property
    def standing(self) -> Standing:
        return Standing(self.failures, self.state == Site.State.DOWN)


def record(
    asked: dict[int, str],
    results: Sequence[ProbeResult],
    *,
    strikes: int,
    now: datetime,
    hold: Callable[[], None],
) -> Recorded:
    """Store ``results``; ``asked`` maps each site's id to the URL that was asked.

    ``hold`` is called first inside the transaction and raises where this run lost its lease: then nothing is
    written. A site that has meanwhile been paused, deleted or given another URL is left alone.
    """
    with transaction.atomic():
        hold()
        rows = _current_rows()
        known = [result for result in results if _still_asked(rows.get(result.key), asked)]
        _store_views(known)
        falls, returns = _store_states(rows, known, strikes)
        change = outages.apply(falls, returns, now)
    return Recorded(views=len(known), skipped=len(results) - len(known), change=change)


def _current_rows() -> dict[int, Row]:
    """Every enabled site as it stands now, locked where the database locks rows."""
    fields = ("id", "name", "url", "state", "failures", "state_since", "recent")
    query = Site.objects.select_for_update().filter(enabled=True).order_by("pk")
    return {values[0]: Row(*values) for values in query.values_list(*fields)}


def _still_asked(row: Row | None, asked: dict[int, str]) -> bool:
    return row is not None and row.url == asked[row.id]


def _store_views(results: Sequence[ProbeResult]) -> None:
    SiteView.objects.bulk_create(
        (
            SiteView(
                site_id=result.key,
                date=result.asked_at,
                verdict=result.verdict,
                code=result.code,
                reason=result.reason[:REASON_LIMIT],
                verb=result.verb,
                total_ms=result.total_ms,
                lookup_ms=result.lookup_ms,
                connect_ms=result.connect_ms,
                tls_ms=result.tls_ms,
                wait_ms=result.wait_ms,
            )
            for result in results
        ),
        batch_size=BATCH,
    )


def _store_states(
    rows: dict[int, Row], results: Sequence[ProbeResult], strikes: int
) -> tuple[list[outages.Fall], dict[int, datetime]]:
    falls: list[outages.Fall] = []
    returns: dict[int, datetime] = {}
    updates = []
    for result in results:
        row = rows[result.key]
        standing, event = judge(row.standing, result.verdict, strikes)
        if event is Event.FELL:
            falls.append(
                outages.Fall(
                    row.id,
                    row.name,
                    row.url,
                    _since(row, result, Site.State.DOWN) or result.asked_at,
                    result.reason[:REASON_LIMIT],
                    standing.failures,
                )
            )
        elif event is Event.CAME_BACK:
            returns[row.id] = result.asked_at
        updates.append(_state_values(row, result, standing))
    _update_sites(updates)
    return falls, returns


def _state_values(row: Row, result: ProbeResult, standing: Standing) -> dict[str, Any]:
    state = _state_after(row, result, standing)
    return {
        "state": state,
        "failures": standing.failures,
        "state_since": _since(row, result, state),
        "last_checked": result.asked_at,
        "last_verdict": result.verdict,
        "last_code": result.code,
        "last_reason": result.reason[:REASON_LIMIT],
        "last_ms": result.total_ms,
        "recent": appended(row.recent, result.verdict, result.total_ms),
        "id": row.id,
    }


def _since(row: Row, result: ProbeResult, state: str) -> datetime | None:
    """Since when ``state`` holds: a site fell with the first failure of its series, not the last strike."""
    goes_on = state == row.state or (row.state, state) == (Site.State.FAILING, Site.State.DOWN)
    return row.state_since if goes_on else result.asked_at


def _state_after(row: Row, result: ProbeResult, standing: Standing) -> str:
    if result.verdict is Verdict.INCONCLUSIVE:
        return row.state
    if standing.down:
        return Site.State.DOWN
    return Site.State.FAILING if standing.failures else Site.State.UP


def _update_sites(updates: Sequence[dict[str, Any]]) -> None:
    """One prepared statement for all: the ORM's bulk_update grows a CASE arm for each row."""
    if not updates:
        return
    by_name = {field.name: field for field in Site._meta.concrete_fields}
    fields = [by_name[name] for name in updates[0]]
    assignments = ", ".join(f"{connection.ops.quote_name(str(field.column))} = %s" for field in fields[:-1])
    sql = f"UPDATE {connection.ops.quote_name(Site._meta.db_table)} SET {assignments} WHERE id = %s"  # noqa: S608
    values = [
        [field.get_db_prep_save(update[field.name], connection) for field in fields] for update in updates
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
