"""Whose request it is: the address of the peer, or what a trusted proxy says of it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_ip(request: HttpRequest) -> str:
    """The client's address, or "" where the peer has none (a Unix socket).

    ``X-Forwarded-For`` counts only from TRUSTED_PROXIES. It is read from its right end: what stands left of
    the first address that is no trusted proxy was written by the client.
    """
    peer = _address(str(request.META.get("REMOTE_ADDR", "")))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while forwarded and peer is not None and _is_trusted(peer):
        said = _address(forwarded.pop())
        if said is None:
            break  # the proxy hides its client: its own address is all that is known
        peer = said
    return "" if peer is None else str(peer)


def _address(text: str) -> Address | None:
    """``1.2.3.4``, ``1.2.3.4:567``, ``::1``, ``[::1]:567``; ``::ffff:1.2.3.4`` is 1.2.3.4."""
    word = text.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        ip = ipaddress.ip_address(word)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if ip.version == 6 else ip


def _is_trusted(ip: Address) -> bool:
    return any(ip in network for network in settings.TRUSTED_PROXIES)
