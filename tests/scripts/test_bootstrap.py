"""Set-up of a checkout: what is missing is said in one line, what is there is left alone."""

from __future__ import annotations

import ast
import stat
import sys
from pathlib import Path

import pytest

from scripts import bootstrap


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 2), (3, 10, 14)], ids=str)
def test_a_python_that_is_too_old_is_named(version, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        bootstrap.check_python(version)
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert said.startswith("set-up: Python 3.11 or newer is needed")
    assert ".".join(map(str, version)) in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 14, 0)], ids=str)
def test_a_python_that_is_new_enough_passes_in_silence(version, capsys) -> None:
    bootstrap.check_python(version)
    assert capsys.readouterr() == ("", "")


def test_an_old_python_can_read_the_script_far_enough_to_say_that_it_is_old() -> None:
    tree = ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]


def test_the_environment_of_this_run_is_usable_and_a_folder_of_rubbish_is_not(tmp_path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)  # a copy: it knows another prefix
    assert bootstrap.is_usable(sys.prefix)
    assert not bootstrap.is_usable(tmp_path)
    assert not bootstrap.is_usable(tmp_path / "none")


def test_a_fresh_env_file_is_for_its_owner_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    path = tmp_path / ".env"
    bootstrap.write_env(str(path))
    lines = path.read_text().splitlines()
    key = next(line for line in lines if line.startswith("SECRET_KEY="))
    assert len(key) > 60
    assert "SECURE_COOKIES=False" in lines
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("existing", [True, False], ids=["a file is there", "the environment has a key"])
def test_settings_that_exist_are_not_touched(existing, tmp_path, monkeypatch) -> None:
    path = tmp_path / ".env"
    if existing:
        monkeypatch.delenv("SECRET_KEY")
        path.write_text("SECRET_KEY=mine\n")
    bootstrap.write_env(str(path))
    assert path.exists() is existing
    assert not existing or path.read_text() == "SECRET_KEY=mine\n"


def test_what_is_installed_is_not_installed_again(tmp_path, capsys) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("")
    stamp = tmp_path / "installed-requirements.txt"
    stamp.write_text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")  # sha256 of nothing
    bootstrap.install(str(tmp_path), str(requirements))  # has no Python at all, so pip would fail
    assert capsys.readouterr().out == ""
