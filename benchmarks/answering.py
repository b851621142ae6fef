"""A web server that answers after as long as its path says, and writes down how long it really took.

``/delay/10/…`` answers 200 after 10 ms, ``/never/…`` never, ``/switch/…`` 503 while SWITCH_FILE is there. Any
address of 127.0.0.0/8 will do. One thread, one epoll. ``python -m benchmarks.answering FOLDER`` runs it, on
another core than what is measured.
"""

from __future__ import annotations

import heapq
import itertools
import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.installation import ROOT
from benchmarks.web import end

BACKLOG = 4096
TOGETHER = 16  # connections that are taken before others have their turn
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BAD = GOOD.replace(b"200 OK", b"503 Service Unavailable")
LONGEST_WAIT_S = 0.2  # a signal does not end a wait in poll(): it is taken up again
PORT_FILE, TIMES_FILE, SWITCH_FILE = "port", "times.json", "down"
START_S = 15


@dataclass(slots=True)
class Peer:
    """The server as its user sees it: its port, and after ``times`` no more of it."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def times(self) -> dict[str, float]:
        """End it; milliseconds from request to answer for each path that was asked."""
        end(self.process)
        found: dict[str, float] = json.loads((self.folder / TIMES_FILE).read_text())
        return found


@contextmanager
def answering(folder: Path, core: int) -> Iterator[Peer]:
    """Run it on ``core``; it is gone afterwards."""
    for name in (PORT_FILE, TIMES_FILE):
        (folder / name).unlink(missing_ok=True)
    argv = machine.on_core(core, sys.executable, "-m", "benchmarks.answering", str(folder))
    process = subprocess.Popen(argv, cwd=ROOT)
    try:
        yield Peer(_port(folder, process), folder, process)
    finally:
        end(process)


def _port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(FileNotFoundError, ValueError):
            return int((folder / PORT_FILE).read_text())
        time.sleep(0.02)
    raise SystemExit("bench: the answering server did not start")


class Server:
    """``serve`` returns when ``stop`` was called, from a signal."""

    def __init__(self, folder: Path) -> None:
        self._switch = folder / SWITCH_FILE
        self.times: dict[str, float] = {}
        self._listening = socket.create_server(("0.0.0.0", 0), backlog=BACKLOG)
        self._listening.setblocking(False)
        # A connection comes up when it has said something: one round less for each, so that this is no limit.
        self._listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        self._epoll = select.epoll()
        self._epoll.register(self._listening, select.EPOLLIN)
        self._open: dict[int, socket.socket] = {}
        self._heard: dict[int, bytes] = {}
        self._due: list[tuple[float, int, socket.socket, float, str]] = []
        self._order = itertools.count()
        self._running = True

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def stop(self) -> None:
        self._running = False

    def serve(self) -> None:
        while self._running:
            wait_s = min(self._due[0][0] - time.monotonic() if self._due else LONGEST_WAIT_S, LONGEST_WAIT_S)
            for descriptor, _ in self._epoll.poll(max(0.0, wait_s), 256):
                if descriptor == self._listening.fileno():
                    self._accept()
                else:
                    self._read(descriptor)
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, connection, asked, path = heapq.heappop(self._due)
                self._answer(connection, asked, path)

    def _accept(self) -> None:
        for _ in range(TOGETHER):
            try:
                connection, (address, _) = self._listening.accept()
            except BlockingIOError:
                return
            if not address.startswith("127."):
                connection.close()
                continue
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[connection.fileno()] = connection
            self._heard[connection.fileno()] = b""
            self._read(connection.fileno())

    def _read(self, descriptor: int) -> None:
        try:
            heard = self._open[descriptor].recv(65536)
        except BlockingIOError:
            self._listen_to(descriptor)
            return
        except OSError:
            heard = b""
        if not heard:
            self._close(self._open[descriptor])
            return
        self._heard[descriptor] += heard
        if b"\r\n\r\n" in self._heard[descriptor]:
            self._consider(self._open[descriptor], self._heard[descriptor], time.monotonic())
        else:
            self._listen_to(descriptor)

    def _listen_to(self, descriptor: int) -> None:
        """Until the rest of the request has come."""
        with suppress(FileExistsError):
            self._epoll.register(descriptor, select.EPOLLIN)

    def _consider(self, connection: socket.socket, heard: bytes, asked: float) -> None:
        path = heard.split(b" ", 2)[1].decode()
        _, what, *rest = path.split("/")
        if what == "never":
            return
        delay_s = int(rest[0]) / 1000 if what == "delay" else 0.0
        if delay_s:
            heapq.heappush(self._due, (asked + delay_s, next(self._order), connection, asked, path))
        else:
            self._answer(connection, asked, path)

    def _answer(self, connection: socket.socket, asked: float, path: str) -> None:
        if connection.fileno() < 0:
            return  # the asker has gone
        self.times[path] = (time.monotonic() - asked) * 1000
        with suppress(OSError):
            connection.send(BAD if path.startswith("/switch/") and self._switch.exists() else GOOD)
        self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        del self._open[connection.fileno()], self._heard[connection.fileno()]
        connection.close()


def main() -> None:
    """Tell the port at once and the times at the end, in files of the folder that the first word names."""
    folder = Path(sys.argv[1])
    server = Server(folder)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    (folder / "port.new").write_text(str(server.port))
    (folder / "port.new").rename(folder / PORT_FILE)
    server.serve()
    (folder / TIMES_FILE).write_text(json.dumps(server.times))


if __name__ == "__main__":
    main()
