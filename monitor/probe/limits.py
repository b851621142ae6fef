"""The bounds of one run, as arguments: the engine reads no settings."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

# Questions to name servers that have a socket of their own: LOOKUPS names, two families, asked twice.
MOST_APART, LEAST_APART = 256, 32
# 128 TLS connections that libcurl still says goodbye to, LEAST_APART, and 32 for the database and files.
SPARE_DESCRIPTORS = 192


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and requests in flight.

    ``timeout_s`` covers look-up, connection, TLS and headers of one site together. ``ca_file``: None means
    SSL_CERT_FILE, the system's bundle or certifi's. ``name_servers`` (``address:port``): empty means the
    system's.
    """

    timeout_s: float = 5
    lookup_timeout_s: float = 3
    concurrency: int = 256
    per_host: int = 8
    ca_file: str | None = None
    name_servers: tuple[str, ...] = ()

    @property
    def lookup_limit_s(self) -> float:
        return min(self.lookup_timeout_s, self.timeout_s)


def within_descriptors(concurrency: int) -> int:
    """At most what this process may open sockets for: two for each request, one IPv6 and one IPv4."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return concurrency
    return max(1, min(concurrency, (allowed - SPARE_DESCRIPTORS) // 2))


def apart_within_descriptors(concurrency: int) -> int:
    """How many questions may have a socket of their own, beside so many requests."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return MOST_APART
    return max(LEAST_APART, min(MOST_APART, allowed - SPARE_DESCRIPTORS + LEAST_APART - 2 * concurrency))


def descriptor_left() -> bool:
    """Whether this process can open anything just now; for errors that do not say that it could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    return True
