"""A whole installation that a browser looks at: `manage.py up` on a port of its own, until the block ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import ROOT, Instance

LIMIT_S = 30


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
    """What it writes goes to ``up.log`` in its folder."""
    log = instance.folder / "up.log"
    with log.open("w") as out:
        command = [sys.executable, str(ROOT / "manage.py"), "up"]
        process = subprocess.Popen(
            command, env=instance.environment(), cwd=instance.folder, stdout=out, stderr=subprocess.STDOUT
        )
    port = int(instance.settings["PORT"])
    try:
        _wait(process, port, log)
        yield Served(instance, f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"nobody listens on {port}: {log.read_text()}"
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    """One on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
