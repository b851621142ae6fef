from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from djamon.lib import processes
from djamon.lib.processes import from_text, is_alive, this_process


def test_this_process_is_alive_and_survives_being_written_down() -> None:
    assert is_alive(this_process()) is True
    assert from_text(str(this_process())) == this_process()


def test_a_zombie_has_ended() -> None:
    code = "from djamon.lib.processes import *; print(this_process())"
    root = Path(processes.__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as child:
        assert child.stdout is not None
        other = from_text(child.stdout.readline().strip())
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked why
        assert other is not None
        assert is_alive(other) is False


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"started": 1}, False, id="pid-given-out-again"),
        pytest.param({"pid": 2**22 + 1}, False, id="no-such-pid"),
        pytest.param({"machine": "another-boot/pid:[1]"}, None, id="another-machine"),
        pytest.param({"machine": ""}, None, id="nobody-can-tell"),
    ],
)
def test_other_processes(change: dict[str, int | str], expected: bool | None) -> None:
    assert is_alive(replace(this_process(), **change)) is expected  # type: ignore[arg-type]


def fake_proc(root: Path, pid: int, stat: str) -> Path:
    (root / "sys/kernel/random").mkdir(parents=True)
    (root / "sys/kernel/random/boot_id").write_text("boot\n")
    (root / "self/ns").mkdir(parents=True)
    (root / "self/ns/pid").symlink_to("pid:[7]")
    (root / str(pid)).mkdir()
    (root / str(pid) / "stat").write_text(stat)
    return root


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        pytest.param("5 (python) S " + "0 " * 18 + "77 0", True, id="sleeping"),
        pytest.param("5 (a) Z 1 (b) S " + "0 " * 18 + "77 0", True, id="name-with-parentheses"),
        pytest.param("5 (python) Z " + "0 " * 18 + "77 0", False, id="zombie"),
        pytest.param("5 (python) S " + "0 " * 18 + "78 0", False, id="started-later"),
    ],
)
def test_the_stat_line(stat: str, expected: bool, tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, 5, stat)
    assert is_alive(processes.Process("boot/pid:[7]", 5, 77), proc) is expected


def test_without_proc_nobody_can_tell(tmp_path: Path) -> None:
    process = this_process(tmp_path)
    assert process.machine == ""
    assert is_alive(process, tmp_path) is None


@pytest.mark.parametrize("text", ["", "x", "x y z", "machine 1", "1 2"], ids=repr)
def test_what_is_no_process_is_none(text: str) -> None:
    assert from_text(text) is None
