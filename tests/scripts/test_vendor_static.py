from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.vendor_static import MANIFEST, PACKAGES, VENDOR_DIR, main, problems, store


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(VENDOR_DIR, tmp_path / "vendor")
    return tmp_path / "vendor"


def test_the_committed_files_are_those_of_the_manifest(capsys) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_each_package_has_its_licence_and_says_which() -> None:
    rows = json.loads((VENDOR_DIR / MANIFEST).read_text())
    for package in PACKAGES:
        assert (VENDOR_DIR / package.name / "LICENSE").stat().st_size > 300
        licences = {row["licence"] for row in rows if row["name"] == package.name}
        assert licences <= {"MIT", "0BSD", "Apache-2.0"}


@pytest.mark.parametrize("path", list(VENDOR_DIR.rglob("*.min.*")), ids=lambda path: path.name)
def test_no_file_points_at_what_is_not_here(path) -> None:
    text = path.read_text()
    assert "sourceMappingURL" not in text
    assert not re.search(r"url\((?![\"']?(data:|#))|@import", text)


CHANGES = {
    "changed": (lambda folder: (folder / "htmx.org/htmx.min.js").write_text("x"), "differs"),
    "missing": (lambda folder: (folder / "htmx.org/LICENSE").unlink(), "in the manifest, but missing"),
    "added": (lambda folder: (folder / "htmx.org/more.js").write_text("x"), "not in the manifest"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_a_difference_is_told(copy, change, said) -> None:
    change(copy)
    (line,) = problems(copy)
    assert said in line


def test_another_version_than_the_scripts_is_told(copy) -> None:
    manifest = copy / MANIFEST
    manifest.write_text(manifest.read_text().replace(PACKAGES[0].version, "5.0.0"))
    assert problems(copy) == [f"{MANIFEST}: lists other packages than this script"]


def test_what_is_stored_is_what_the_manifest_says(tmp_path) -> None:
    package = PACKAGES[1]
    contents = dict.fromkeys(package.files, b"code();\n//# sourceMappingURL=x.js.map")
    contents |= {"LICENSE": b"Do as you like.\n", "package.json": b'{"license": "0BSD"}'}
    rows = list(store(package, contents, tmp_path))
    assert (tmp_path / "htmx.org" / "htmx.min.js").read_bytes() == b"code();\n"
    assert [(row["file"], row["licence"]) for row in rows] == [
        ("htmx.org/htmx.min.js", "0BSD"),
        ("htmx.org/LICENSE", "0BSD"),
    ]
