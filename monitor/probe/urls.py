"""From a URL as people write it to what is asked. Pure; a URL that cannot be asked is a value, too."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import idna

PORTS = {"http": 80, "https": 443}
# No dash at the beginning: no host name has one there, and libcurl would read it as a command.
HOST_NAME = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
BRACKETED = re.compile(r"\[[^\[\]]*\](:\d*)?")
NUMERIC_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)$")
KEPT = "/%:=&?~+!$,;'@()*-._"  # what stands in a path or query as it is; the rest is percent-encoded
NOTHING_TO_ENCODE = re.compile(rf"[A-Za-z0-9{re.escape(KEPT)}]*")


@dataclass(frozen=True, slots=True)
class Place:
    """A URL taken apart: ``url`` is what libcurl gets (ASCII, no fragment), ``host`` is without brackets.

    ``literal``: the host is an address, so that no name needs to be looked up.
    """

    url: str
    host: str
    port: int
    https: bool
    literal: bool


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a URL cannot be asked, in words."""

    reason: str


def take_apart(url: str) -> Place | Malformed:
    """What is asked for this URL, or why it cannot be asked."""
    try:
        return _take_apart(url)
    except UnicodeEncodeError:
        return Malformed("malformed URL: it has half of a character")
    except ValueError as error:  # also what urlsplit, idna and str.encode raise
        return Malformed(f"malformed URL: {error}")


def _take_apart(url: str) -> Place:
    if SPACE_OR_CONTROL.search(url):
        raise ValueError("it has white space or control characters")
    parts = urlsplit(url)
    written, port = parts.hostname, parts.port
    if parts.scheme not in PORTS:
        raise ValueError("it starts with neither http:// nor https://")
    if not written:
        raise ValueError("it names no host")
    if "@" in parts.netloc:
        raise ValueError("it has a user name or password")
    if port == 0:
        raise ValueError("port 0 cannot be asked")
    if "[" in parts.netloc and ":" not in written:
        raise ValueError("what stands in brackets is no IPv6 address")
    if ":" in written and not BRACKETED.fullmatch(parts.netloc):  # urlsplit passes over what is beside
        raise ValueError("beside the brackets of an IPv6 address there is more than a port")
    host, literal = _host(written)
    usual = PORTS[parts.scheme]
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != usual:
        authority += f":{port}"
    path = _encoded(parts.path) or "/"
    query = f"?{_encoded(parts.query)}" if parts.query else ""
    return Place(
        f"{parts.scheme}://{authority}{path}{query}", host, port or usual, parts.scheme == "https", literal
    )


def _encoded(part: str) -> str:
    return part if NOTHING_TO_ENCODE.fullmatch(part) else quote(part, safe=KEPT)


def _host(written: str) -> tuple[str, bool]:
    """The host in ASCII, and whether it is an address. A dot at the end drops out: TLS knows none there."""
    host = (written if written.isascii() else _idna(written)).lower().rstrip(".")
    if ":" in host:
        ip_address(host)
        return host, True
    if NUMERIC_END.search(host):
        return _ipv4(host), True
    if not HOST_NAME.fullmatch(host):
        raise ValueError(f"{written!r} is no host name")
    return host, False


def _idna(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError(f"{host!r} is no host name") from None


def _ipv4(host: str) -> str:
    """Browsers and libcurl read ``127.1`` and ``0x7f000001`` as addresses, too: they are no names."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        raise ValueError(f"{host!r} is no address") from None
