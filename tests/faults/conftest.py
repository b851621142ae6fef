"""Installations and peers are those of the end-to-end tests; a line that breaks and a small disk are ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import SERVER, instance, mail, template, web
from tests.faults.proxy import Proxy

__all__ = ["instance", "mail", "template", "web"]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = urlsplit(SERVER)
    made = Proxy(server.hostname or "127.0.0.1", server.port or 5432)
    yield made
    made.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
