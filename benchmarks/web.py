"""The web process of an installation on a core of its own, and a browser that has logged in."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks import machine
from benchmarks.installation import ROOT, Installation

USER, PASSWORD = "bench", "a-long-benchmark-password"
START_S, ANSWER_S, END_S = 60, 60, 15
KEPT_ALIVE_S = 3.0  # uvicorn closes a connection that was idle for 5 s
# Becomes the very command that `manage.py up` starts, so that nobody has to keep two of them alike.
RUN_THE_WEB = (
    "import os, django; django.setup(); from jobs.services import web_command; "
    "command = web_command(); os.execv(command[0], command)"
)


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Answer:
    """``ms``: from the first byte asked to the last one read; ``size``: bytes of the body as it came."""

    status: int
    ms: float
    size: int
    body: bytes


class Browser:
    """One connection that is kept alive, with the cookies of a session; programs may ask without gzip."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None, encoding: str = "gzip") -> None:
        self.cookies = dict(cookies or {})
        self._encoding = encoding
        self._last_used = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def log_in(self) -> None:
        """Through the form, as people do; raises SystemExit where that fails."""
        self.get("/login/")
        form = {
            "username": USER,
            "password": PASSWORD,
            "csrfmiddlewaretoken": self.cookies.get("csrftoken", ""),
        }
        answer = self._ask("POST", "/login/", urlencode(form))
        if answer.status != 302:
            raise SystemExit(f"bench: the login was answered with {answer.status}")

    def close(self) -> None:
        self._connection.close()

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Cookie": self.cookie_header, "Accept-Encoding": self._encoding}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() - self._last_used > KEPT_ALIVE_S:  # the server has closed it, or is about to
            self._connection.close()
            self._connection.connect()
        begin = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        read = response.read()
        ms = (time.perf_counter() - begin) * 1000
        self._last_used = time.monotonic()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            if match := re.match(r"([^=]+)=([^;]*)", cookie):
                self.cookies[match[1]] = match[2]
        return Answer(response.status, ms, len(read), read)


def add_user(installation: Installation) -> None:
    installation.manage(
        "createsuperuser",
        "--noinput",
        f"--username={USER}",
        "--email=bench@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )


@contextmanager
def serving(installation: Installation, core: int) -> Iterator[Web]:
    """The web process, pinned; it has loaded everything and answered nothing yet."""
    port = free_port()
    environment = {**installation.environment(), "HOST": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen(
        machine.on_core(core, sys.executable, "-c", RUN_THE_WEB), env=environment, cwd=ROOT
    )
    try:
        wait_for_port(port, process)
        yield Web(port, process.pid)
    finally:
        end(process)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"bench: nothing listens on port {port}: {process.args!r}")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
