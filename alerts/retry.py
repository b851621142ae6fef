"""When a failed delivery is tried again. Pure: no query or clock."""

from __future__ import annotations

from datetime import datetime, timedelta

# Quick at first, since most faults are short; then slow, since a long fault is no news to anyone.
PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 600, 1200, 1800))
LONGEST_PAUSE = timedelta(hours=1)
# When a channel answers again, what it had failed with is not left to a long pause.
TAKEN_UP_AFTER = timedelta(minutes=5)
LIFETIME = timedelta(hours=24)
# A receiver may ask for any number of seconds; news that waits longer than this is none.
LONGEST_HONOURED = timedelta(hours=6)
# Where a pause would pass the expiry, one more try so long before it.
LAST_CALL = timedelta(minutes=5)


def next_try(
    tries: int, failed_at: datetime, expires: datetime, retry_after_s: float | None = None
) -> datetime | None:
    """The time of the next try after ``tries`` failed ones, or None: it would be too late for the news.

    Not earlier than the receiver asked for with ``retry_after_s``, within LONGEST_HONOURED and the expiry.
    """
    pause = PAUSES[tries - 1] if 1 <= tries <= len(PAUSES) else LONGEST_PAUSE
    return in_time(failed_at + max(pause, honoured(retry_after_s)), failed_at, expires)


def in_time(due: datetime, failed_at: datetime, expires: datetime) -> datetime | None:
    """``due``, or LAST_CALL before the expiry where that comes first; None where no pause fits in."""
    if due < expires:
        return due
    last = expires - LAST_CALL
    return last if last >= failed_at + PAUSES[0] else None


def honoured(retry_after_s: float | None) -> timedelta:
    """How much of the time for which a receiver wants to be left alone it is given."""
    if retry_after_s is None or retry_after_s <= 0:
        return timedelta(0)
    return timedelta(seconds=min(LONGEST_HONOURED.total_seconds(), retry_after_s))
