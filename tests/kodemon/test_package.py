"""The package as it is installed: by pip, in an environment of its own, in Python 3.8 too."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.kodemon.listener import PACKAGE, SOURCE, Listener

MODULES = sorted((SOURCE / "kodemon").glob("*.py"))
PROGRAM = """
import kodemon
print(kodemon.__file__)

@kodemon.kodemon(a=1)
def foobar():
    pass

foobar()
"""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_python_3_8_can_read_it(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    newer = [node for node in ast.walk(tree) if isinstance(node, ast.Match | ast.TryStar)]
    assert newer == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_it_needs_the_standard_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "kodemon"}


def pip(*words: object) -> None:
    """Run pip, which may ask no index for anything."""
    argv = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with nothing but the package."""
    folder = tmp_path_factory.mktemp("installed")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, PACKAGE)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip("--python", python, "install", "--no-index", next(folder.glob("kodemon-*-py3-none-any.whl")))
    return folder / "venv"


def test_a_program_far_from_the_checkout_uses_what_pip_installed(
    installed: Path, tmp_path: Path, listener: Listener
) -> None:
    (tmp_path / "foo.py").write_text(PROGRAM)
    argv = [str(installed / "bin" / "python"), "-W", "error", "foo.py"]
    done = subprocess.run(argv, cwd=tmp_path, env=listener.environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(str(installed))
    message = listener.message()
    assert (message["key"], message["a"]) == ("foo.py-foobar", 1)


def test_its_types_are_installed_with_it(installed: Path) -> None:
    assert list(installed.glob("lib/python*/site-packages/kodemon/py.typed"))
