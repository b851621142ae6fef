"""Pages of timings while they are open: tells each that something of what it shows was stored.

What that is, the page asks by itself. One Hub a process looks for all of them, while anybody watches.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from urllib.parse import parse_qs

from django.utils import timezone

from accounts.streams import Reader, user_gate
from djamon.lib import watching
from djamon.lib.streaming import Doors, EventApp, Scope
from djamon.lib.watching import LINGER_S, Look, Pace, Seen, Voice
from timings import queries, reports
from timings.wire import LONGEST_KEY

LOOK_S = 0.5  # a look takes two queries, some 2 ms
ALL = ""  # the subject of the list; others are keys
VOICE = Voice(
    logging.getLogger(__name__),
    "timings-watcher",
    "timings are not live: it cannot be told what is new",
    "timings are live again",
)


def marks(subjects: Collection[str]) -> Mapping[str, object]:
    """For each subject what is another as soon as there is something new of it."""
    found: dict[str, object] = dict(queries.counts([key for key in subjects if key != ALL]))
    if ALL in subjects:
        found[ALL] = [
            (one.address, one.lives, one.stored, one.refused_in_all, one.queue_full, one.kernel_drops)
            for one in reports.reports(timezone.now()).shown
        ]
    return found


class Hub(watching.Hub[str]):
    """All are told the same; a page hears at once, as something may have come since it was drawn."""

    def __init__(self, look: Look[str] = marks, look_s: float = LOOK_S, linger_s: float = LINGER_S) -> None:
        super().__init__(look, _seen_by, VOICE, pace=Pace(look_s, linger_s))


def _seen_by(_reader: Reader, scope: Scope) -> Seen[str]:
    return Seen(subject_of(scope))


def subject_of(scope: Scope) -> str:
    """The key whose page is open; none for the list."""
    said: bytes = scope.get("query_string", b"")
    return parse_qs(said.decode("latin-1")).get("key", [ALL])[0][:LONGEST_KEY].replace("\0", "")


def timings_events(doors: Doors) -> EventApp[Reader]:
    """The application at /events/timings."""
    return EventApp(user_gate, Hub().feed, doors)
