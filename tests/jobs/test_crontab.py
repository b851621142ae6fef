"""Crontab lines: what they say, and that everybody else's lines survive."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import crontab
from jobs.periodic import PeriodicJob, periodic_jobs

ROOT = Path("/srv/my 100% monitor")
OWN = crontab.block(periodic_jobs(), root=ROOT, python="/srv/my 100% monitor/.venv/bin/python")
OTHERS = "MAILTO=ops@example.org\n# m h dom mon dow command\n0 4 * * * backup 100\\%\n"


def test_the_block_has_the_calendar_of_the_probe() -> None:
    calendars = [line.split(" '/srv")[0] for line in OWN.splitlines() if " probe " in line]
    assert calendars == ["*/1 9-16 * * 1-5", "*/5 0-8 * * 1-5", "*/5 17-23 * * 1-5", "*/5 * * * 0,6"]


def test_a_line_quotes_spaces_and_percent_signs() -> None:
    job = PeriodicJob(name="x", title="x", calendar=("* * * * *",), command=("x",))
    line = crontab.block([job], root=ROOT, python="/usr/bin/python3").splitlines()[1]
    folder = r"'/srv/my 100\% monitor"
    assert line == f"* * * * * /usr/bin/python3 {folder}/scripts/cronjob.py' x >> {folder}/var/cron.log' 2>&1"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("", id="an empty crontab"),
        pytest.param(OTHERS, id="lines of others"),
        pytest.param(OTHERS + OWN, id="installed before"),
        pytest.param(OWN + OTHERS, id="installed before them"),
        pytest.param(OTHERS.rstrip("\n"), id="no newline at the end"),
    ],
)
def test_installing_leaves_one_block_and_all_other_lines(before) -> None:
    after = crontab.with_block(before, OWN, ROOT)
    assert after.count(OWN) == 1
    assert crontab.with_block(after, OWN, ROOT) == after
    kept = crontab.without_block(after, ROOT)
    assert kept.strip() == before.replace(OWN, "").strip()


def test_the_block_of_another_checkout_is_not_ours() -> None:
    other = crontab.block(periodic_jobs(), root=Path("/srv/other"), python="python3")
    assert crontab.without_block(other + OWN, ROOT) == other
