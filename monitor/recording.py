"""Writes what a run saw: views, the sites' current state, outages and alerts, in one transaction.

Judging is done by monitor.strikes; this file reads the standing, asks the rule and stores what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from djamon.lib import bulk
from djamon.lib.uuid7 import uuid7
from monitor import outages
from monitor.models import Site, SiteView
from monitor.recent import appended
from monitor.strikes import Event, Standing, judge
from monitor.verdicts import ProbeResult, Verdict

REASON_LIMIT = 200
VIEW_FIELDS = (
    *("id", "site_id", "date", "verdict", "code", "reason", "verb"),
    *("total_ms", "lookup_ms", "connect_ms", "tls_ms", "wait_ms"),
)
STATE_FIELDS = (
    *("state", "failures", "state_since", "last_checked"),
    *("last_verdict", "last_code", "last_reason", "last_ms", "recent"),
)
CERTIFICATE_FIELDS = ("certificate_ends", "certificate_read")


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
        _store_certificates(known)
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
    rows = [
        (
            uuid7(),
            result.key,
            result.asked_at,
            result.verdict,
            result.code,
            result.reason[:REASON_LIMIT],
            result.verb,
            result.total_ms,
            result.lookup_ms,
            result.connect_ms,
            result.tls_ms,
            result.wait_ms,
        )
        for result in results
    ]
    bulk.insert(SiteView, VIEW_FIELDS, rows)


def _store_certificates(results: Sequence[ProbeResult]) -> None:
    """Of the few whose certificate was read in this run; the others keep what they have."""
    read = [
        (result.certificate_ends, result.asked_at, result.key)
        for result in results
        if result.certificate_ends
    ]
    bulk.update(Site, CERTIFICATE_FIELDS, read)


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
    bulk.update(Site, STATE_FIELDS, updates)
    return falls, returns


def _state_values(row: Row, result: ProbeResult, standing: Standing) -> tuple[Any, ...]:
    state = _state_after(row, result, standing)
    return (
        state,
        standing.failures,
        _since(row, result, state),
        result.asked_at,
        result.verdict,
        result.code,
        result.reason[:REASON_LIMIT],
        result.total_ms,
        appended(row.recent, result.verdict, result.total_ms),
        row.id,
    )


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
