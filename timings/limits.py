"""Whether the calls of a function exceed a limit: what its minutes say, and what follows. Pure.

A minute *speaks* where it has at least as many calls as the limit asks for; it is then *above* the threshold
or not. A minute that does not speak is no evidence for anything. The rule, for a limit of N minutes:

- **Over** is what has, in N minutes one after the other, no speaking minute that is not above, at least half
  of them that speak, the last of them above, and the first, or what spoke last before it, above already. Such
  N minutes may have ended some minutes ago (the *reach*, five and twice the threshold): a call is counted in
  the minute in which it began, so one that takes long, or is stored late, comes after that was looked at.
- **Fine again** is what has, in the last N minutes (never less than the reach), no minute above and at least
  one that speaks. So what is slow each other minute is over once, and not told of again and again.
- **Unknown** is what has not spoken for SILENCE_MIN minutes, or for as long as the rule looks back. Nobody is
  told of it, unless it was over: then that is no longer known, and whether it is fine is not claimed.

Only the minutes of now are looked at, and nothing is remembered but the standing: looking twice changes
nothing, minutes that nobody looked at are not told of later, and a clock that jumped is right with the next
look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MINUTE_S = 60
MINUTE_MS = 60_000
SETTLE_S = 2  # a minute's calls are stored so long after its end: the receiver writes five times a second
LEAST_REACH = 5
SILENCE_MIN = 60
MOST_MINUTES = 1440


class State(StrEnum):
    FINE = "fine"
    OVER = "over"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """What people are told of."""

    EXCEEDED = "exceeded"
    FINE_AGAIN = "fine again"
    UNHEARD = "unheard"


class Minute(NamedTuple):
    """The calls of one minute: its beginning (seconds since 1970), how many, and their figure in ms."""

    start: int
    calls: int
    value_ms: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What is allowed: at most ``threshold_ms``; a minute counts from ``fewest`` calls on."""

    threshold_ms: float
    minutes: int
    fewest: int = 1

    @property
    def reach(self) -> int:
        """Minutes that calls above the threshold, which arrive at their end, may come late."""
        return LEAST_REACH + min(2 * int(self.threshold_ms // MINUTE_MS), MOST_MINUTES)

    @property
    def looks_back(self) -> int:
        """How many minutes it is judged by."""
        return max(self.minutes + self.reach - 1, SILENCE_MIN)


@dataclass(frozen=True, slots=True)
class Standing:
    """``since`` and ``over_since`` in seconds since 1970.

    ``over_since``: when it went over, if that has not ended; what is unknown may have been over before.
    """

    state: State
    since: int
    over_since: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The new standing, what people are to be told, and by what: the newest minute that speaks, and the
    highest of those for which the limit is over, or was.
    """

    standing: Standing
    event: Event | None = None
    newest: Minute | None = None
    highest: Minute | None = None


def last_complete(now_s: float) -> int:
    """The beginning of the last minute whose calls are stored by now."""
    return int(now_s - SETTLE_S) // MINUTE_S * MINUTE_S - MINUTE_S


def judge(before: Standing, terms: Terms, minutes: Iterable[Minute], now_s: float) -> Judgement:
    """The standing now; ``minutes`` are those with calls, of the last ``terms.looks_back`` complete ones."""
    last = last_complete(now_s)
    first = last - (terms.looks_back - 1) * MINUTE_S
    heard = sorted(each for each in minutes if each.calls >= terms.fewest and first <= each.start <= last)
    if not heard:
        return Judgement(*_unheard(before, int(now_s)))
    above = [each for each in heard if each.value_ms > terms.threshold_ms]
    highest = max(above, key=lambda each: each.value_ms, default=None)
    standing, event = before, None
    if before.state is not State.OVER and (began := _exceeded(heard, terms, last)) is not None:
        standing, event = Standing(State.OVER, began, began), Event.EXCEEDED
    elif before.over_since is not None:
        if _is_calm(heard, above, terms, last):
            ended = above[-1].start + MINUTE_S if above else heard[0].start
            standing, event = Standing(State.FINE, max(ended, before.over_since)), Event.FINE_AGAIN
    elif before.state is State.UNKNOWN:
        standing = Standing(State.FINE, int(now_s))
    return Judgement(standing, event, heard[-1], highest)


def _unheard(before: Standing, now_s: int) -> tuple[Standing, Event | None]:
    if before.state is State.UNKNOWN:
        return before, None
    event = Event.UNHEARD if before.state is State.OVER else None
    return Standing(State.UNKNOWN, now_s, before.over_since), event


def _exceeded(heard: Sequence[Minute], terms: Terms, last: int) -> int | None:
    """Since when it is over, or None: the newest N minutes that are, and what came before them unbroken."""
    for place in range(len(heard) - 1, -1, -1):
        end = heard[place].start
        if end <= last - terms.reach * MINUTE_S:
            return None
        start = end - (terms.minutes - 1) * MINUTE_S
        within = [each for each in heard[: place + 1] if each.start >= start]
        began = _began(heard[: place + 1], terms.threshold_ms)
        if 2 * len(within) >= terms.minutes and began is not None and began <= start:
            return began
    return None


def _began(heard: Sequence[Minute], threshold_ms: float) -> int | None:
    """The first of the minutes up to the last that are all above; None where the last is not."""
    began = None
    for each in reversed(heard):
        if each.value_ms <= threshold_ms:
            break
        began = each.start
    return began


def _is_calm(heard: Sequence[Minute], above: Sequence[Minute], terms: Terms, last: int) -> bool:
    first = last - (max(terms.minutes, terms.reach) - 1) * MINUTE_S
    return heard[-1].start >= first and not (above and above[-1].start >= first)
