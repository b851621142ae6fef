"""When a failed delivery is tried again. Pure: no query or clock."""

from __future__ import annotations

from datetime import datetime, timedelta

# Quick at first, since most faults are short; then slow, since a long fault is no news to anyone.
PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 600, 1200, 1800))
LONGEST_PAUSE = timedelta(hours=1)
LIFETIME = timedelta(hours=24)


def next_try(
    tries: int, failed_at: datetime, expires: datetime, retry_after_s: float | None = None
) -> datetime | None:
    """The time of the next try after ``tries`` failed ones, or None: it would be too late for the news.

    Never earlier than the receiver asked for with ``retry_after_s``.
    """
    pause = PAUSES[tries - 1] if 1 <= tries <= len(PAUSES) else LONGEST_PAUSE
    if retry_after_s is not None:
        pause = max(pause, timedelta(seconds=min(retry_after_s, LIFETIME.total_seconds())))
    due = failed_at + pause
    return due if due < expires else None
