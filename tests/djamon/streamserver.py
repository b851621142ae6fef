"""A real uvicorn in a thread around one ASGI application, and a client that reads streams from a socket."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

LIMIT_S = 20


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


@dataclass
class Running:
    port: int
    loop: asyncio.AbstractEventLoop

    def call(self, function: Callable[[], Any]) -> None:
        """On the server's loop, as the server's own tasks do."""
        self.loop.call_soon_threadsafe(function)


@contextmanager
def serving(app: Any) -> Iterator[Running]:
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=3,
        proxy_headers=False,
    )
    server, started = uvicorn.Server(config), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        started.set()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    started.wait(LIMIT_S)
    assert until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Running(port, loops[0])
    finally:
        server.should_exit = server.force_exit = True
        thread.join(LIMIT_S)


@dataclass
class Message:
    event: str = ""
    mark: str = ""
    data: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Reader:
    """One GET, read as it comes: chunks taken apart, gzip unpacked."""

    def __init__(
        self, port: int, path: str = "/", buffer: int = 0, method: str = "GET", **headers: str
    ) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(LIMIT_S)
        self.socket.connect(("127.0.0.1", port))
        lines = [
            f"{name.replace('_', '-')}: {value}" for name, value in {"Host": "localhost", **headers}.items()
        ]
        self.socket.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while (line := self._file.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        zipped = self.headers.get("content-encoding") == "gzip"
        self._unzip = zlib.decompressobj(wbits=31) if zipped else None
        self._text = ""

    def body(self) -> Any:
        """The whole of an answer that is no stream, as JSON."""
        return json.loads(self._file.read(int(self.headers["content-length"])))

    def chunk(self) -> bytes:
        """The next bytes; nothing at the end of the stream."""
        size = int(self._file.readline() or b"0", 16)
        piece = self._file.read(size)
        self._file.readline()
        return self._unzip.decompress(piece) if self._unzip else piece

    def block(self) -> str:
        """Up to the next empty line; nothing at the end of the stream."""
        while "\n\n" not in self._text:
            if not (piece := self.chunk()):
                return ""
            self._text += piece.decode()
        block, _, self._text = self._text.partition("\n\n")
        return block

    def message(self) -> Message | None:
        """The next one that says something but that the stream is live; None at the end of the stream."""
        while block := self.block():
            fields = [line.partition(": ")[::2] for line in block.split("\n")]
            found = dict(fields)
            if "data" in found and found.get("event") not in {"beat", "stale"}:
                lines = "\n".join(value for name, value in fields if name == "data")
                return Message(found.get("event", ""), found.get("id", ""), lines)
        return None

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
