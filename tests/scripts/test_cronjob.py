"""The script that crontab lines call: small logs. What it does in full is seen in tests/e2e."""

from __future__ import annotations

import pytest

from scripts import cronjob


@pytest.mark.parametrize(("size", "moved"), [(cronjob.LOG_LIMIT, False), (cronjob.LOG_LIMIT + 1, True)])
def test_a_log_beyond_its_limit_makes_room_for_a_new_one(size, moved, tmp_path) -> None:
    log = tmp_path / "cron.log"
    with log.open("wb") as file:
        file.truncate(size)
    (tmp_path / "cron.log.1").write_text("the one before")
    cronjob.keep_small(log)
    assert log.exists() is not moved
    assert ((tmp_path / "cron.log.1").stat().st_size == size) is moved


def test_no_log_yet_is_no_fault(tmp_path) -> None:
    cronjob.keep_small(tmp_path / "cron.log")
    assert not list(tmp_path.iterdir())
