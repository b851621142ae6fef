"""An installation that a browser looks at, on a port of its own, until the block ends."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.test import override_settings
from playwright.sync_api import Page

from tests.e2e.conftest import ROOT, Instance

LIMIT_S = 60


@dataclass
class Served:
    """An installation that answers at ``address``, which ends without a slash."""

    instance: Instance
    address: str

    def probe(self, times: int = 1) -> None:
        for _ in range(times):
            self.instance.must("probe")


def set_up(instance: Instance, var_dir: Path) -> None:
    """Its own port and its own collected files, which several may share; nothing periodic."""
    port = free_port()
    instance.settings |= {
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "TEST_VAR_DIR": str(var_dir),
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SECURE_COOKIES": "False",
        "SCHEDULER": "False",
    }


def fill(instance: Instance, size: str) -> None:
    command = [sys.executable, "-m", "tests.browser", size]
    subprocess.run(command, env=instance.environment(), cwd=ROOT, check=True)


@contextmanager
def serving(instance: Instance) -> Iterator[Served]:
    """Its web process alone, which is what most tests look at."""
    from jobs.services import web_command  # noqa: PLC0415  (whoever takes pictures has not set Django up)

    with override_settings(HOST="127.0.0.1", PORT=int(instance.settings["PORT"])):
        command = web_command()
    with _running(instance, command) as served:
        yield served


@contextmanager
def running(instance: Instance) -> Iterator[Served]:
    """All of it, as `make run` starts it."""
    with _running(instance, (sys.executable, str(ROOT / "manage.py"), "up")) as served:
        yield served


@contextmanager
def _running(instance: Instance, command: Sequence[str]) -> Iterator[Served]:
    """What it writes goes to ``web.log`` in its folder."""
    log, port = instance.folder / "web.log", int(instance.settings["PORT"])
    with log.open("a") as out:
        process = subprocess.Popen(
            command, env=instance.environment(), cwd=instance.folder, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, log)
        yield Served(instance, f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not _listens(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"nobody listens on {port}: {log.read_text()}"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """One on which nobody listens, below those that the system gives away by itself until ours is started."""
    while True:
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            except OSError:
                continue
            return int(trial.getsockname()[1])


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
