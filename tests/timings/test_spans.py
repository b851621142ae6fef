"""What a range is made of, and how it is compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timings.models import DAY, HOUR, MINUTE
from timings.spans import SECOND, Piece, Spans, change, finest, pieces, told

NOW = 1_780_012_800 + 12 * HOUR + 20 * MINUTE + 20  # 2026-05-29 12:20:20 UTC
KEPT = {SECOND: NOW - 30 * DAY, MINUTE: NOW - 90 * DAY, HOUR: NOW - 731 * DAY}
moments = st.integers(min_value=0, max_value=3 * 10**9)


@given(moments, st.integers(min_value=0, max_value=4 * 366 * DAY))
def test_pieces_cover_a_range_once_and_are_few(start, length):
    found = list(pieces(start, start + length))
    assert [piece.start for piece in found[1:]] == [piece.end for piece in found[:-1]]
    assert sum(piece.end - piece.start for piece in found) == length
    assert all(piece.start % piece.level == piece.end % piece.level == 0 for piece in found)
    assert len(found) <= 7
    assert sum(piece.end - piece.start for piece in found if piece.level == SECOND) < 2 * MINUTE


def test_a_range_within_a_minute_is_made_of_calls():
    assert list(pieces(61, 119)) == [Piece(SECOND, 61, 119)]
    assert list(pieces(120, 60)) == []


@pytest.mark.parametrize(
    ("age_s", "grain"),
    [
        pytest.param(0, SECOND, id="now"),
        pytest.param(31 * DAY, MINUTE, id="calls are deleted"),
        pytest.param(91 * DAY, HOUR, id="minutes are deleted"),
        pytest.param(732 * DAY, DAY, id="hours are deleted"),
    ],
)
def test_what_is_kept_decides_how_fine_an_end_can_be(age_s, grain):
    assert finest(NOW - age_s, KEPT) == grain


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(HOUR, (NOW + 1 - 2 * HOUR, NOW + 1 - HOUR, NOW + 1), id="an hour to the second"),
        pytest.param(
            DAY, (NOW - 2 * DAY - 20, NOW - DAY - 20, NOW + 40), id="a day in minutes, the last one whole"
        ),
        pytest.param(
            365 * DAY,
            (NOW - 730 * DAY - 1220, NOW - 365 * DAY - 1220, NOW + 2380),
            id="a year in hours",
        ),
    ],
)
def test_ends_are_moved_by_little(length, expected):
    assert told(NOW + 1 - length, NOW, NOW, KEPT) == Spans(*expected)


@given(moments, st.integers(min_value=0, max_value=20 * 366 * DAY), moments)
def test_ranges_of_any_kind_are_told_whole_and_do_not_overlap(start, length, now):
    kept = {SECOND: now - 30 * DAY, MINUTE: now - 90 * DAY, HOUR: now - 731 * DAY}
    before, begun, ended = told(start, start + length, now, kept)
    assert before <= begun <= start <= start + length < ended
    assert begun > start - DAY


def test_a_range_that_ends_before_it_begins_is_empty():
    spans = told(NOW, NOW - HOUR, NOW, KEPT)
    assert (spans.start, spans.end) == (NOW, NOW)


@pytest.mark.parametrize(
    ("now", "before", "per_cent"),
    [(3, 2, 50), (1, 2, -50), (2, 2, 0), (2, 0, None), (2, None, None), (None, 2, None), (0, 2, -100)],
)
def test_changes_are_told_in_per_cent(now, before, per_cent):
    assert change(now, before) == per_cent
