"""What staff change: here alone limits are added, edited, paused, resumed and deleted.

Who was told that a limit is over is told when nobody will tell the end: an alert goes with the change, in one
transaction. Every change counts up ``version``, so that a check under way does not overrule it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from alerts import outbox
from djamon.lib.commands import DjamonError
from timings import messages
from timings.models import Limit

MOST_LIMITS = 1000
JUDGED_BY = frozenset({"key", "token", "figure", "threshold_ms", "minutes", "fewest"})


class TooMany(DjamonError):  # noqa: N818  (says what is)
    """There are as many limits as can be judged each minute. Delete some that are no longer needed."""


class ChangedMeanwhile(DjamonError):  # noqa: N818
    """Somebody else has saved this at the same moment. Yours is kept here: look at it and send it again."""


def add(limit: Limit, by: str, now: datetime) -> Limit:
    """Store a new limit. Raises TooMany."""
    with transaction.atomic():
        if Limit.objects.count() >= MOST_LIMITS:
            raise TooMany(TooMany.__doc__)
        limit.created_by, limit.since = by, now
        limit.save(force_insert=True)
    return limit


def edit(limit: Limit, fields: Collection[str], by: str, now: datetime) -> None:
    """Store the named fields of ``limit``, as it was read and changed since; by other terms it begins anew.

    Raises Limit.DoesNotExist and ChangedMeanwhile.
    """
    with transaction.atomic():
        stored = _lock(limit.pk)
        if stored.version != limit.version:
            raise ChangedMeanwhile(ChangedMeanwhile.__doc__)
        values = {name: getattr(limit, name) for name in fields}
        if JUDGED_BY & set(fields):
            _withdraw(stored, f"changed by {by}", now)
            values |= _begun_anew(now)
        _update(stored, values)


def pause(pk: int, by: str, now: datetime) -> Limit:
    """Judge it no more; one that is paused stays as it is. Raises Limit.DoesNotExist."""
    with transaction.atomic():
        limit = _lock(pk)
        if limit.enabled:
            _withdraw(limit, f"paused by {by}", now)
            _update(limit, {"enabled": False, **_begun_anew(now)})
    return limit


def resume(pk: int, now: datetime) -> Limit:
    """Judge it again from the next run on. Raises Limit.DoesNotExist."""
    with transaction.atomic():
        limit = _lock(pk)
        if not limit.enabled:
            _update(limit, {"enabled": True, **_begun_anew(now)})
    return limit


def delete(pk: int, by: str, now: datetime) -> Limit:
    """What was told of it stays in the outbox. Raises Limit.DoesNotExist."""
    with transaction.atomic():
        limit = _lock(pk)
        _withdraw(limit, f"deleted by {by}", now)
        Limit.objects.filter(pk=pk).delete()
    return limit


def _lock(pk: int) -> Limit:
    return Limit.objects.select_for_update(no_key=True).get(pk=pk)


def _withdraw(limit: Limit, why: str, now: datetime) -> None:
    if limit.over_since is not None:
        outbox.enqueue(messages.withdrawn(limit, limit.over_since, why), now)


def _begun_anew(now: datetime) -> dict[str, Any]:
    nothing = dict.fromkeys(("over_since", "judged", "newest_at", "newest_ms", "newest_calls"))
    return {"state": Limit.State.UNKNOWN, "since": now, **nothing}


def _update(limit: Limit, values: dict[str, Any]) -> None:
    Limit.objects.filter(pk=limit.pk).update(**values, version=F("version") + 1)
