"""The time line's rule: the order of telling, offsets, and what is folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor import timeline
from monitor.timeline import Event, Kind, Moment

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def line(*told: tuple[float, Kind, str]) -> list[Event]:
    """Events from seconds after the start, kinds, and what they are alike; numbered as they are given."""
    moments = [Moment(at(seconds), kind, row) for row, (seconds, kind, _) in enumerate(told)]
    rows = {(kind, row): (f"row {row}", alike) for row, (_, kind, alike) in enumerate(told)}
    return timeline.events(moments, rows, START)


def folded(*told: tuple[float, Kind, str]) -> list[int]:
    """How many events each entry holds."""
    return [len(entry.events) for entry in timeline.fold(line(*told))]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "+0 seconds"),
        (0.9, "+0 seconds"),
        (180, "+3 minutes"),
        (90_061, "+1 day, 1 hour"),
        (-5, "−5 seconds"),
    ],
)
def test_an_offset_says_how_long_after_the_start(seconds: float, words: str) -> None:
    assert timeline.offset(at(seconds), START) == words


def test_events_stand_in_the_order_of_time() -> None:
    told = line((9, Kind.FELL, ""), (3, Kind.NOTE, ""), (5, Kind.ALERT, ""))
    assert [event.name for event in told] == ["note", "alert", "fell"]
    assert [event.offset for event in told] == ["+3 seconds", "+5 seconds", "+9 seconds"]


def test_of_one_instant_the_cause_comes_first() -> None:
    told = line(*((1, kind, "") for kind in reversed(Kind)))
    assert [event.name for event in told] == ["fell", "ended", "over", "alert", "attempt", "note"]


def test_of_one_instant_and_kind_the_older_row_comes_first() -> None:
    assert [event.about for event in line((1, Kind.FELL, ""), (1, Kind.FELL, ""))] == ["row 0", "row 1"]


def test_a_moment_whose_row_has_gone_is_left_out() -> None:
    assert timeline.events([Moment(START, Kind.NOTE, 7)], {}, START) == []


FELL, SENT = (Kind.FELL, "fell"), (Kind.ATTEMPT, "email True")


@pytest.mark.parametrize(
    ("last", "words"), [(0, ""), (0.9, ""), (1.2, "1 second"), (36, "36 seconds"), (60, "1 minute")]
)
def test_what_is_told_as_one_says_within_what_time(last: float, words: str) -> None:
    (entry,) = timeline.fold(line(*[(0, *FELL)] * 3, (last, *FELL)))
    assert entry.within == words


@pytest.mark.parametrize(
    ("told", "entries"),
    [
        ([], []),
        ([(0, *FELL)], [1]),
        ([(0, *FELL)] * 3, [1, 1, 1]),
        ([(0, *FELL)] * 4, [4]),
        ([(second, *FELL) for second in (0, 20, 40, 60)], [4]),
        ([(second, *FELL) for second in (0, 20, 40, 61)], [1, 1, 1, 1]),
        ([(0, *FELL)] * 1000, [1000]),
        ([(0, *FELL)] * 4 + [(1, *SENT)] * 5, [4, 5]),
        ([(0, *FELL), (1, *SENT)] * 1 + [(2, *FELL)] * 3, [1, 1, 1, 1, 1]),
        ([(0, Kind.ATTEMPT, "email True")] * 3 + [(1, Kind.ATTEMPT, "email False")] * 3, [1] * 6),
        ([(0, Kind.NOTE, "")] * 5, [1] * 5),
        ([(0, *FELL)] * 4 + [(70, *FELL)] * 4, [4, 4]),
    ],
    ids=[
        "nothing",
        "one",
        "three are few",
        "four",
        "within a minute",
        "longer than a minute",
        "a thousand",
        "two kinds",
        "something between",
        "good and bad",
        "never alike",
        "two runs",
    ],
)
def test_many_alike_at_nearly_one_time_are_told_as_one(told, entries) -> None:
    assert folded(*told) == entries


def test_of_what_is_folded_three_are_shown() -> None:
    (entry,) = timeline.fold(line(*[(0, *FELL)] * 10))
    assert entry.folded
    assert (len(entry.shown), len(entry.rest)) == (3, 7)
    assert [*entry.shown, *entry.rest] == list(entry.events)
