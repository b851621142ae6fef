"""Where to and as whom: KODEMON_HOST, KODEMON_PORT and KODEMON_TOKEN. Nothing is sent here."""

from __future__ import annotations

import logging
from typing import Mapping, NamedTuple

HOST = "localhost"
PORT = 4000
TOKEN = "test-token"  # noqa: S105 - it is public, and no secret
HIGHEST_PORT = 65_535

log = logging.getLogger("kodemon")


class Settings(NamedTuple):
    """``port`` is None where what is written there is none: then nothing is sent."""

    host: str
    port: int | None
    token: str


def read(environ: Mapping[str, str]) -> Settings:
    """The variables of ``environ``; one that is empty counts as missing. Never raises."""
    host = environ.get("KODEMON_HOST", "").strip() or HOST
    return Settings(
        host=host[1:-1] if host.startswith("[") and host.endswith("]") else host,
        port=_port(environ.get("KODEMON_PORT", "").strip()),
        token=environ.get("KODEMON_TOKEN", "") or TOKEN,
    )


def _port(text: str) -> int | None:
    if not text:
        return PORT
    # Five digits at most: int() refuses thousands of them with an error.
    if text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST_PORT)):
        port = int(text)
        if 1 <= port <= HIGHEST_PORT:
            return port
    # Another port could be another program's, so none is guessed.
    log.warning("KODEMON_PORT is not a port: %.40r; no execution times are sent", text)
    return None
