"""A real socket for datagrams, and programs that are run on their own against it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent.parent / "agents" / "kodemon"
SOURCE = PACKAGE / "src"
LIMIT_S = 30
TOLD = frozenset({"key", "token", "timestamp", "execution_time"})


class Listener:
    """Bound on loopback, where a datagram has arrived when its sender goes on."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        # Where the kernel gives little, some 500 messages: no test leaves more of them unread.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((host, 0))
        self.socket.settimeout(LIMIT_S)
        self.host = host

    @property
    def environment(self) -> dict[str, str]:
        return {"KODEMON_HOST": self.host, "KODEMON_PORT": str(self.socket.getsockname()[1])}

    def message(self) -> dict[str, Any]:
        """The next one, as soon as it is here."""
        said = json.loads(self.socket.recv(65_535).decode("ascii"), parse_constant=_refuse)
        assert isinstance(said, dict)
        return said

    def arrived(self) -> list[dict[str, Any]]:
        """All that are here now."""
        found = []
        self.socket.setblocking(False)
        try:
            while True:
                found.append(self.message())
        except BlockingIOError:
            return found
        finally:
            self.socket.settimeout(LIMIT_S)

    def keys(self) -> list[str]:
        return [message["key"] for message in self.arrived()]

    def close(self) -> None:
        self.socket.close()


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def run(
    folder: Path, program: str, environment: Mapping[str, str], *, within: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``program`` as foo.py to its end; every warning is an error, as in the strictest of programs."""
    path = folder / "foo.py"
    path.write_text(program)
    return subprocess.run(
        [*within, sys.executable, "-X", "dev", "-W", "error", str(path)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def said_by(done: subprocess.CompletedProcess[str]) -> str:
    """What a program printed; it must have ended well, without a word of complaint."""
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.strip()
