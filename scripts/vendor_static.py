#!/usr/bin/env python3
"""Copies the browser code we ship from npm into static/vendor; ``--check`` verifies what is committed.

Standard library and the ``npm`` client only. To change a version: edit PACKAGES, run this, commit the result.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = "MANIFEST.json"
# Source maps are not shipped, and a stylesheet that names one that is missing fails `collectstatic`.
SOURCE_MAP = re.compile(rb"\s*(/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)\s*\Z")


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the npm registry at one exact version, and its files that pages load."""

    name: str
    version: str
    files: tuple[str, ...]


PACKAGES = (
    Package("bootstrap", "5.3.9", ("dist/css/bootstrap.min.css", "dist/js/bootstrap.bundle.min.js")),
    Package("htmx.org", "2.0.11", ("dist/htmx.min.js",)),
    # The smallest of its builds with zoom, shaded areas and SVG; its licence asks that NOTICE goes with it.
    Package("echarts", "6.1.0", ("dist/echarts.common.min.js", "NOTICE", "licenses/LICENSE-d3")),
)


def fetch(package: Package, folder: Path) -> dict[str, bytes]:
    """The package's files by path, with LICENSE and package.json; npm checks the archive's integrity."""
    command = ["npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"]
    packed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        return {path: _read(archive, path) for path in (*package.files, "LICENSE", "package.json")}


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise FileNotFoundError(f"{path} is no file of the package")
    return member.read()


def store(package: Package, contents: dict[str, bytes], vendor_dir: Path) -> Iterator[dict[str, str]]:
    """Write the files below ``vendor_dir/<name>/`` and yield the manifest's row of each."""
    licence = str(json.loads(contents["package.json"])["license"])
    folder = vendor_dir / package.name
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*package.files, "LICENSE"):
        target = folder / Path(path).name
        target.write_bytes(SOURCE_MAP.sub(b"\n", contents[path]))
        yield {
            "name": package.name,
            "version": package.version,
            "licence": licence,
            "file": target.relative_to(vendor_dir).as_posix(),
            "sha256": digest(target),
        }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def vendor(vendor_dir: Path) -> None:
    """Fetch every package and write its files and the manifest."""
    rows: list[dict[str, str]] = []
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            rows += store(package, fetch(package, Path(folder)), vendor_dir)
    (vendor_dir / MANIFEST).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def problems(vendor_dir: Path) -> list[str]:
    """One sentence for each file that differs from the manifest, is missing, or is not in it."""
    rows = json.loads((vendor_dir / MANIFEST).read_text(encoding="utf-8"))
    listed = {row["file"]: row["sha256"] for row in rows}
    present = {
        path.relative_to(vendor_dir).as_posix(): path
        for path in vendor_dir.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    found = [f"{name}: in the manifest, but missing" for name in listed.keys() - present.keys()]
    found += [f"{name}: not in the manifest" for name in present.keys() - listed.keys()]
    found += [
        f"{name}: differs from the manifest"
        for name in listed.keys() & present.keys()
        if digest(present[name]) != listed[name]
    ]
    wanted = {(package.name, package.version) for package in PACKAGES}
    if {(row["name"], row["version"]) for row in rows} != wanted:
        found.append(f"{MANIFEST}: lists other packages than this script")
    return sorted(found)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="verify the committed files, offline")
    if not parser.parse_args(arguments).check:
        vendor(VENDOR_DIR)
    found = problems(VENDOR_DIR)
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
