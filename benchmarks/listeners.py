"""Browsers with home open, many in one process: they keep what comes and when, and read it later.

Reading at once would make this process the limit: a real browser unpacks on a machine of its own.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """A message and when its last byte came, on the monotonic clock."""

    at: float
    event: str
    data: dict[str, Any]


class Listener(asyncio.Protocol):
    """One browser's stream of events; ``latest``: when something came, ``size``: bytes since it was set."""

    def __init__(self, path: str, cookies: str) -> None:
        self.latest = 0.0
        self.size = 0
        fields = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {cookies}", "Accept-Encoding: gzip")
        self._request = "\r\n".join((*fields, "", ""))
        self._kept: list[tuple[float, bytes]] = []
        self._stream = Stream()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request.encode())

    def data_received(self, data: bytes) -> None:
        self.latest = time.monotonic()
        self.size += len(data)
        self._kept.append((self.latest, data))

    def close(self) -> None:
        self._transport.close()

    def read(self) -> list[Heard]:
        """All messages since the last time."""
        kept, self._kept = self._kept, []
        return [message for at, data in kept for message in self._stream.read(at, data)]


class Stream:
    """What a connection carries: the head of the answer, chunks, gzip, and in it the events."""

    def __init__(self) -> None:
        self._raw = b""
        self._in_body = False
        self._text = b""
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._packed = False

    def read(self, at: float, data: bytes) -> Iterator[Heard]:
        self._raw += data
        if not self._in_body and not self._skip_head():
            return
        for chunk in self._chunks():
            self._text += self._gzip.decompress(chunk) if self._packed else chunk
        *messages, self._text = self._text.split(b"\n\n")
        for message in messages:
            fields = dict(_fields(message.decode()))
            if fields.get("event") == "board":
                yield Heard(at, "board", json.loads(fields["data"]))

    def _skip_head(self) -> bool:
        head, end, rest = self._raw.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"bench: a stream of events was answered with {head[:60]!r}")
        self._packed = b"content-encoding: gzip" in head.lower()
        self._in_body, self._raw = True, rest
        return True

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size, end, rest = self._raw.partition(b"\r\n")
            if not end or len(rest) < int(size, 16) + 2:
                return
            self._raw = rest[int(size, 16) + 2 :]
            yield rest[: int(size, 16)]


def _fields(message: str) -> Iterator[tuple[str, str]]:
    for line in message.split("\n"):
        name, _, value = line.partition(": ")
        yield name, value


async def connect(port: int, path: str, cookies: str, count: int) -> list[Listener]:
    """So many of them, all connected."""
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(count):
        _, listener = await loop.create_connection(lambda: Listener(path, cookies), "127.0.0.1", port)
        found.append(listener)
    return found
