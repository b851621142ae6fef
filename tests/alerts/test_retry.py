"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.retry import LIFETIME, next_try

FAILED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FAR = FAILED + LIFETIME


@pytest.mark.parametrize(
    ("tries", "retry_after_s", "pause_s"),
    [
        pytest.param(1, None, 30, id="first-failure-half-a-minute"),
        pytest.param(2, None, 60, id="second-a-minute"),
        pytest.param(3, None, 120, id="third"),
        pytest.param(4, None, 300, id="fourth"),
        pytest.param(5, None, 600, id="fifth"),
        pytest.param(6, None, 1200, id="sixth"),
        pytest.param(7, None, 1800, id="seventh"),
        pytest.param(8, None, 3600, id="eighth-at-the-cap"),
        pytest.param(500, None, 3600, id="stays-at-the-cap"),
        pytest.param(1, 900, 900, id="not-before-retry-after"),
        pytest.param(4, 10, 300, id="retry-after-does-not-shorten"),
        pytest.param(1, -5, 30, id="retry-after-in-the-past"),
        pytest.param(1, 90_000, 21_600, id="retry-after-of-a-day-and-more"),
        pytest.param(1, 1e20, 21_600, id="retry-after-of-ages"),
        pytest.param(1, float("inf"), 21_600, id="retry-after-for-ever"),
    ],
)
def test_pause(tries: int, retry_after_s: float | None, pause_s: int) -> None:
    assert next_try(tries, FAILED, FAR, retry_after_s) == FAILED + timedelta(seconds=pause_s)


@pytest.mark.parametrize(
    ("left_s", "retry_after_s", "pause_s"),
    [
        pytest.param(31, None, 30, id="just-in-time"),
        pytest.param(30, None, None, id="at-the-expiry"),
        pytest.param(-1, None, None, id="past-the-expiry"),
        pytest.param(329, 3600, None, id="too-late-for-a-last-call"),
        pytest.param(330, 3600, 30, id="just-in-time-for-the-last-call"),
        pytest.param(3600, 3600, 3300, id="last-call-five-minutes-before-the-expiry"),
        pytest.param(7200, 1e12, 6900, id="last-call-however-long-the-receiver-wants"),
    ],
)
def test_expiry(left_s: int, retry_after_s: float | None, pause_s: int | None) -> None:
    due = next_try(1, FAILED, FAILED + timedelta(seconds=left_s), retry_after_s)
    assert due == (None if pause_s is None else FAILED + timedelta(seconds=pause_s))
