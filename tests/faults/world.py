"""This side of the link: namespaces of its own, an installation in a folder of its own, and its sweeps.

:func:`enter` starts a module again inside a new network and mount namespace, :class:`World` is used in there.
Everything ends with its processes; nothing of the machine's own network is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import plan
from tests.faults.links import wait_until_it_carries
from tests.faults.stalls import Watch

ROOT = Path(__file__).resolve().parent.parent.parent
INSIDE = "DJAMON_FAULTS_FOLDER"  # names the folder to whoever runs inside
TIMEOUT_S = float(os.environ.get("FAULTS_TIMEOUT", "0.5"))


def unshare() -> list[str]:
    """The command that gives a process namespaces of its own; without root a user namespace is one more."""
    return ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


def why_not() -> str:
    """Why no namespaces can be had here; empty where they can."""
    try:
        tried = subprocess.run(
            [*unshare(), "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return f"{error.filename} is not installed"
    return "" if tried.returncode == 0 else f"no network namespace: {tried.stderr.strip()}"


def enter(module: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module words…`` inside; its output comes through as it is said."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        return subprocess.run(
            [*unshare(), sys.executable, "-u", "-m", module, *words],
            cwd=ROOT,
            env=environment(folder),
            text=True,
            check=False,
        )


def environment(folder: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        INSIDE: folder,
        "DJANGO_SETTINGS_MODULE": "djamon.settings",
        "DJAMON_ENV_FILE": "",
        "SECRET_KEY": "x" * 50,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DATABASE_WAIT": "0.3",
        "SANDBOX_URLS": ",".join(plan.SANDBOX_URLS),
        "PROBE_TIMEOUT": f"{TIMEOUT_S}",
        "LOOKUP_TIMEOUT": f"{TIMEOUT_S * 0.6}",
        "TO_EMAIL": "ops@example.org",
        "SSL_CERT_FILE": f"{folder}/ca.pem",
        "LOG_LEVEL": "ERROR",
        "FAULTS_TIMEOUT": f"{TIMEOUT_S}",
    }


def is_inside() -> bool:
    return INSIDE in os.environ


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@dataclass
class World:
    """The link and what is behind it."""

    far: subprocess.Popen[str]
    watch: Watch = field(default_factory=Watch)
    longest_s: float = 0.0

    def tell(self, **command: Any) -> None:
        """One command to the other side, done when this returns."""
        assert self.far.stdin
        assert self.far.stdout
        self.far.stdin.write(json.dumps(command) + "\n")
        self.far.stdin.flush()
        word, _, stalled = self.far.stdout.readline().partition(" ")
        assert word == "ok", f"the other side broke at {command}"
        self.longest_s = max(self.longest_s, float(stalled))

    def too_slow(self) -> bool:
        """Has either side stood still since the last call, so that a good site may have seemed silent?"""
        self.tell(do="nothing")
        longest, self.longest_s = max(self.longest_s, self.watch.take()), 0.0
        return longest > TIMEOUT_S / 4

    def take_address(self, family: int) -> None:
        """All addresses of one family leave our end of the link, and the ways with them."""
        ip(f"-{family}", "addr", "flush", "dev", plan.NEAR, "scope", "global")

    def give_address(self, family: int) -> None:
        address = plan.HERE[0 if family == 4 else 1]
        ip("addr", "replace", address, "dev", plan.NEAR, *(["nodad"] if family == 6 else []))

    def cut(self, how: str) -> None:
        """``near``: our interface is taken down; ``far``: the cable is pulled."""
        ip("link", "set", plan.NEAR, "down") if how == "near" else self.tell(do="link", how="down")

    def mend(self, how: str) -> None:
        if how == "near":
            ip("link", "set", plan.NEAR, "up")
            self.give_address(6)  # taken away with the link
        else:
            self.tell(do="link", how="up")
        wait_until_it_carries(plan.NEAR)
        self.tell(do="link", how="awaited")
        self.forget_neighbours()

    def use_name_servers(self, addresses: Sequence[str]) -> None:
        Path("/etc/resolv.conf").write_text(_resolv_conf(addresses))

    def forget_neighbours(self) -> None:
        """Otherwise who was asked for in vain would be asked for again only after a second."""
        ip("neigh", "flush", "dev", plan.NEAR)


@contextmanager
def world() -> Iterator[World]:
    """Both sides of the link, up; to be used inside."""
    folder = Path(os.environ[INSIDE])
    ip("link", "set", "lo", "up")
    ip("link", "add", plan.NEAR, "type", "veth", "peer", "name", plan.FAR)
    _use_name_servers(folder)
    command = ["unshare", "--net", sys.executable, "-m", "tests.faults.internet"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as far:
        assert far.stdout
        assert far.stdout.readline() == "ready\n"
        ip("link", "set", plan.FAR, "netns", str(far.pid))
        ip("link", "set", plan.NEAR, "up")
        here = World(far)
        here.give_address(4)
        here.give_address(6)
        here.tell(do="begin", ca=str(folder))
        try:
            yield here
        finally:
            far.kill()


def _resolv_conf(addresses: Sequence[str]) -> str:
    return "".join(f"nameserver {address}\n" for address in addresses)


def _use_name_servers(folder: Path) -> None:
    file = folder / "resolv.conf"
    file.write_text(_resolv_conf(plan.NAME_SERVERS))
    subprocess.run(["mount", "--bind", str(file), "/etc/resolv.conf"], check=True)
