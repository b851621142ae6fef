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
    ],
)
def test_pause(tries: int, retry_after_s: float | None, pause_s: int) -> None:
    assert next_try(tries, FAILED, FAR, retry_after_s) == FAILED + timedelta(seconds=pause_s)


@pytest.mark.parametrize(
    ("left_s", "retry_after_s", "again"),
    [
        pytest.param(31, None, True, id="just-in-time"),
        pytest.param(30, None, False, id="at-the-expiry"),
        pytest.param(-1, None, False, id="past-the-expiry"),
        pytest.param(3600, 3600, False, id="receiver-wants-too-long"),
        pytest.param(86_400, 1e12, False, id="absurd-retry-after"),
    ],
)
def test_expiry(left_s: int, retry_after_s: float | None, again: bool) -> None:
    due = next_try(1, FAILED, FAILED + timedelta(seconds=left_s), retry_after_s)
    assert (due is not None) is again
