"""``manage.py crontab`` with a crontab program that keeps its table in a file of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

PROGRAM = """#!/bin/sh
table='{table}'
case "$1" in
-l) if [ -f "$table" ]; then cat "$table"; else echo "no crontab for ops" >&2; exit 1; fi ;;
-) cat > "$table.new"
   if grep -q refuse-me "$table.new"; then echo "bad minute" >&2; exit 1; fi
   mv "$table.new" "$table" ;;
esac
"""
Say = Callable[..., str]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(table=tmp_path / "table"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return tmp_path / "table"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*words: str) -> str:
        call_command("crontab", *words)
        return capsys.readouterr().out

    return run


def test_printing_changes_nothing(table, say) -> None:
    assert say().startswith("# BEGIN Djamon in ")
    assert not table.exists()


def test_install_into_an_empty_crontab_twice_and_remove(table, say) -> None:
    lines = say()
    say("--install")
    say("--install")
    assert table.read_text() == lines
    say("--remove")
    assert table.read_text() == ""


def test_lines_of_others_survive(table, say) -> None:
    table.write_text("0 4 * * * backup\n")
    say("--install")
    assert table.read_text().startswith("0 4 * * * backup\n# BEGIN Djamon")
    say("--remove")
    assert table.read_text() == "0 4 * * * backup\n"


def test_a_crontab_that_is_refused_is_one_line_and_the_old_one_stays(table) -> None:
    table.write_text("refuse-me\n")
    with pytest.raises(CommandError, match="crontab: crontab refused the lines: bad minute"):
        call_command("crontab", "--install")
    assert table.read_text() == "refuse-me\n"


def test_without_a_crontab_program_it_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="there is no crontab command on this machine"):
        call_command("crontab", "--install")


def test_what_cron_does_not_see_is_named(table, say) -> None:
    assert "unseen by cron unless they stand in .env" in say("--install")
