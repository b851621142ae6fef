"""Server-sent events on the wire: how a message is written, and compressed once for all who read it.

Bytes only: who is connected and what they are shown is not known here.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import cached_property
from typing import Protocol

CONTENT_TYPE = "text/event-stream; charset=utf-8"
# A gzip member without a name, a time or a system: RFC 1952, section 2.3.
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_BLOCK = b"\x03\x00"  # an empty final block of deflate
LINE_ENDS = re.compile("\r\n|\r|\n")
RAW_DEFLATE = -15


class Payload:
    """Some whole messages, compressed at most once however many read them."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain

    @cached_property
    def deflated(self) -> bytes:
        """A piece of a deflate stream; it ends at a byte and refers to nothing earlier."""
        deflate = zlib.compressobj(6, zlib.DEFLATED, RAW_DEFLATE)
        return deflate.compress(self.plain) + deflate.flush(zlib.Z_FULL_FLUSH)


def message(data: str, *, event: str = "", mark: str = "") -> bytes:
    """One message; ``mark`` comes back as Last-Event-ID. Raises ValueError where a name would break it."""
    if any(sign in field for field in (event, mark) for sign in "\r\n\0"):
        raise ValueError("a line break in the name or mark of a message")
    lines = [f"event: {event}"] if event else []
    lines += [f"id: {mark}"] if mark else []
    lines += [f"data: {line}" for line in LINE_ENDS.split(data)]
    return ("\n".join(lines) + "\n\n").encode()


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it connects again."""
    return f"retry: {milliseconds}\n\n".encode()


# What keeps proxies from closing a quiet stream, and finds peers that are gone. Scripts do not hear it.
COMMENT = Payload(b":\n\n")


class Wire(Protocol):
    """How one client reads its stream; keeps its place in it."""

    encoding: str

    def first(self) -> bytes: ...

    def next(self, payload: Payload) -> bytes: ...

    def last(self) -> bytes: ...


class PlainWire:
    encoding = ""

    def first(self) -> bytes:
        return b""

    def next(self, payload: Payload) -> bytes:
        return payload.plain

    def last(self) -> bytes:
        return b""


class GzipWire:
    """Shared pieces between a head and an end; the checksum in the end is the client's own."""

    encoding = "gzip"

    def __init__(self) -> None:
        self._checksum = self._length = 0

    def first(self) -> bytes:
        return GZIP_HEAD

    def next(self, payload: Payload) -> bytes:
        self._checksum = zlib.crc32(payload.plain, self._checksum)
        self._length += len(payload.plain)
        return payload.deflated

    def last(self) -> bytes:
        return LAST_BLOCK + struct.pack("<II", self._checksum, self._length & 0xFFFFFFFF)


def wire_for(accept_encoding: str) -> Wire:
    """gzip where the client says that it reads it, else nothing of the kind."""
    for offer in accept_encoding.lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() == "gzip" and not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            return GzipWire()
    return PlainWire()
