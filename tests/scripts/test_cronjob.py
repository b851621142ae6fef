"""The script that crontab lines call: small logs. What it does in full is seen in tests/e2e."""

from __future__ import annotations

import re

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


def test_output_goes_on_in_whole_lines_with_the_time_in_front(tmp_path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as file:
        stream = cronjob.StampedLines(file.fileno())
        stream.write("probe: 3 sites")
        assert (tmp_path / "log").read_text() == ""
        stream.write(" asked\nand more\nrest")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line[25:] for line in lines] == ["probe: 3 sites asked", "and more"]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4} ", line) for line in lines)
