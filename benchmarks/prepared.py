"""Filled SQLite files, kept below the system's temporary folder: the largest takes a minute to make."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import history
from benchmarks.history import Plan
from benchmarks.installation import ROOT, folder, on_sqlite
from benchmarks.report import step

# The charts of the last day are empty in a history that ended long ago.
LONGEST_AGE_S = 6 * 3600
BYTES_A_ROW = 400  # with its indexes, and the copy that is worked on


def prepared(plan: Plan) -> Path:
    """The file with the history of ``plan``, only for copying; made now where there is none that fits."""
    cache = _cache()
    path = cache / f"{_key(plan)}.sqlite3"
    _forget_old(cache, path)
    if not path.exists():
        _make(plan, path)
    return path


def _cache() -> Path:
    """Ours alone: nobody else may put a file there for us to open."""
    cache = Path(tempfile.gettempdir()) / f"djamon-benchmarks-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.is_symlink() or cache.stat().st_uid != os.getuid():
        raise SystemExit(f"bench: {cache} is not ours")
    return cache


def _key(plan: Plan) -> str:
    """Other parameters, another generator or other tables make another file."""
    digest = hashlib.sha256(Path(history.__file__).read_bytes())
    for migration in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(str(migration.relative_to(ROOT)).encode() + migration.read_bytes())
    digest.update(json.dumps(asdict(plan)).encode())
    return f"{plan.sites}-sites-{digest.hexdigest()[:12]}"


def _forget_old(cache: Path, wanted: Path) -> None:
    """Files of other keys are of older code; bounded so, the cache holds each plan once."""
    prefix = wanted.name.rpartition("-")[0]
    for file in cache.glob(f"{prefix}-*"):
        if file != wanted or time.time() - file.stat().st_mtime > LONGEST_AGE_S:
            file.unlink()


def _make(plan: Plan, path: Path) -> None:
    rows = plan.views + plan.sites * (24 * plan.hour_days + plan.days)
    if shutil.disk_usage(path.parent).free < 2 * rows * BYTES_A_ROW:
        raise SystemExit(f"bench: {path.parent} has not enough room for {rows:,} rows")
    step(f"filling a database with {plan.sites:,} sites and {plan.views:,} views")
    begin = time.monotonic()
    with folder() as empty, on_sqlite(empty) as installation:
        history.fill_installation(installation, plan)
        with installation.connect() as connection:  # everything into the one file that is copied
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.move(installation.sqlite_path, path)
    step(f"{path.stat().st_size / 2**20:,.0f} MiB in {time.monotonic() - begin:.0f} s")
