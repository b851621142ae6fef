"""The drivers with small counts; ``make faults`` runs them a thousand times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest

from tests.e2e.conftest import SERVER
from tests.faults import channels, kills, steps, world
from tests.faults.model import BAD, GOOD, UNTOUCHED, Model

NO_NAMESPACES = world.why_not()


@pytest.mark.skipif(bool(NO_NAMESPACES), reason=NO_NAMESPACES)
@pytest.mark.skipif(bool(SERVER), reason="a namespace has no way to the database server; runs on SQLite")
@pytest.mark.parametrize(("faults", "runs"), [("sites", 10), ("ours", 10)])
def test_sweeps_with_random_faults_come_out_as_the_model_says(faults: str, runs: int) -> None:
    words = ["--faults", faults, "--runs", str(runs), "--seed", "11"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.sweeps", *words],
        cwd=world.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"faults={faults} runs={runs} seed=11" in done.stdout


@pytest.mark.parametrize("what", ["probe", "send"])
def test_a_kill_at_any_step_loses_nothing(what: str) -> None:
    with kills.scenario(what) as here:
        count = here.one(-1)["steps"]
        for step in range(count // 4, count, count // 2):
            assert here.one(step)["status"] == -9
    assert here.wrong == []


def test_no_alert_is_lost_or_told_twice_for_nothing() -> None:
    wrong, words = channels.drive(runs=8, seed=3)
    assert wrong == [], words


def test_a_command_that_ended_is_not_killed_and_reports_once() -> None:
    """A thread that still says good-bye to a server goes on after the command's end."""
    reader, writer = os.pipe()
    counted = steps.Steps(kill_at=1, report=writer)
    counted.end("done")
    counted(_frame_of_ours(), "call", None)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert json.load(told) == {"steps": 0, "last": "end", "said": "done"}


def _frame_of_ours() -> FrameType:
    """A frame that is a step boundary."""
    space: dict[str, Any] = {"__name__": "alerts.sending", "sys": sys}
    exec("def send(): return sys._getframe()", space)
    frame: FrameType = space["send"]()
    return frame


# --- The model itself ----------------------------------------------------------------------------
def test_the_model_knows_the_third_strike() -> None:
    model = Model.of([1, 2])
    for failures in (1, 2, 3):
        assert model.step({1: BAD, 2: GOOD}, {1: (failures, failures == 3), 2: (0, False)}) == []
    assert (model.told.down, model.outages, model.is_open) == (1, 1, True)
    assert model.step({1: GOOD, 2: UNTOUCHED}, {1: (0, False), 2: (0, False)}) == []
    assert (model.told.up_again, model.is_open) == (1, False)


def test_the_model_sees_a_false_strike_and_a_missed_one() -> None:
    model = Model.of([1, 2])
    wrong = model.step({1: GOOD, 2: BAD}, {1: (1, False), 2: (0, False)})
    assert [line.split(" stands")[0] for line in wrong] == ["site 1", "site 2"]
