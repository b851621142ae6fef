"""The time line of an outage: in what order things are told, how far from its start, and what is told as one.

Pure: moments and what they are about come in, entries go out; no query and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from djamon.lib.durations import roughly

# Fewer in a row stand one by one; so many of one kind, within this time of the first, are told as one.
FOLD_FROM = 4
FOLD_WITHIN = timedelta(minutes=1)
SHOWN_OF_FOLDED = 3


class Kind(IntEnum):
    """What can happen; of one instant, the lower is told first: a cause before what follows from it."""

    FELL = 1
    ENDED = 2  # came back, was paused or deleted
    OVER = 3
    ALERT = 4
    ATTEMPT = 5
    NOTE = 6


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When something happened, and the key of the row that knows the rest."""

    at: datetime
    kind: Kind
    row: int


@dataclass(frozen=True, slots=True)
class Event:
    """``about``: the row of the moment as its reader may see it; events of one ``alike`` may be folded."""

    moment: Moment
    offset: str
    about: object
    alike: str

    @property
    def name(self) -> str:
        """For templates: ``fell``, ``ended``, ``over``, ``alert``, ``attempt`` or ``note``."""
        return self.moment.kind.name.lower()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, or several alike that happened at nearly the same time."""

    events: tuple[Event, ...]

    @property
    def first(self) -> Event:
        return self.events[0]

    @property
    def folded(self) -> bool:
        return len(self.events) > 1

    @property
    def within(self) -> str:
        """From the first to the last in words; empty where all carry the same time on the page."""
        first, last = self.events[0].moment.at, self.events[-1].moment.at
        if first.replace(microsecond=0) == last.replace(microsecond=0):
            return ""
        return roughly(max(1, (last - first).total_seconds()))

    @property
    def shown(self) -> tuple[Event, ...]:
        return self.events[:SHOWN_OF_FOLDED]

    @property
    def rest(self) -> tuple[Event, ...]:
        return self.events[SHOWN_OF_FOLDED:]


def events(
    moments: Iterable[Moment], rows: Mapping[tuple[Kind, int], tuple[object, str]], start: datetime
) -> list[Event]:
    """In the order of time; ``rows`` gives what a moment is about, and what it is alike.

    A moment without a row is left out: the row went between two queries.
    """
    known = sorted(moment for moment in moments if (moment.kind, moment.row) in rows)
    return [Event(moment, offset(moment.at, start), *rows[moment.kind, moment.row]) for moment in known]


def fold(line: Sequence[Event]) -> list[Entry]:
    """Runs of events that are alike become one entry each, where they are many and close together."""
    entries: list[Entry] = []
    run: list[Event] = []
    for event in line:
        if run and not _goes_on(run, event):
            entries += _as_entries(run)
            run = []
        run.append(event)
    return entries + _as_entries(run)


def offset(at: datetime, start: datetime) -> str:
    """``+3 minutes``: how long after the start, in its two largest parts; ``−5 seconds`` before it."""
    seconds = (at - start).total_seconds()
    return f"{'−' if seconds < 0 else '+'}{roughly(abs(seconds))}"


def _goes_on(run: Sequence[Event], event: Event) -> bool:
    first = run[0]
    return (
        bool(event.alike)
        and (event.moment.kind, event.alike) == (first.moment.kind, first.alike)
        and event.moment.at - first.moment.at <= FOLD_WITHIN
    )


def _as_entries(run: Sequence[Event]) -> list[Entry]:
    return [Entry(tuple(run))] if len(run) >= FOLD_FROM else [Entry((event,)) for event in run]
