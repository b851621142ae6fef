"""TLS in words: why a handshake failed, why a certificate was refused, and what the certificate itself says.

Pure. A refused certificate is fetched once more, unverified; here its fields are read as libcurl writes them.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from djamon.lib.durations import in_words

# X509_V_ERR_… of OpenSSL
NOT_YET_VALID, EXPIRED = 9, 10
VERIFY_WORDS = {
    18: "self-signed certificate",
    23: "certificate revoked",
    **dict.fromkeys((2, 19, 20, 21), "certificate signed by an unknown authority"),
}
OTHER_NAME = {0, 1, 62, 64}  # libcurl compares the names itself, and then leaves OpenSSL's "unspecified"
NEED_ITS_WORDS = {NOT_YET_VALID, EXPIRED, *OTHER_NAME}
NAMES_SHOWN = 3

HANDSHAKE_WORDS = {
    "alert protocol version": "TLS version too old",
    "unsupported protocol": "TLS version too old",
    "wrong version number": "TLS handshake failed: the answer is not TLS",
    "packet length too long": "TLS handshake failed: the answer is not TLS",
    "Connection reset": "TLS handshake failed: connection reset",
    "SSL_ERROR_SYSCALL": "TLS handshake failed: connection closed",
    "unexpected eof": "TLS handshake failed: connection closed",
    "certificate required": "TLS handshake failed: the server asks for a client certificate",
}

# One certificate as libcurl writes it: ("Expire date", "Nov 19 03:03:35 2026 GMT")
Fields = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's own certificate says: for which hosts, from when, until when (UTC), and who says so."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    issuer: str = ""


def read_chain(chain: Sequence[Fields]) -> Certificate | None:
    """The first certificate of a chain, the server's own; None where its fields are not as expected."""
    if not chain:
        return None
    fields = dict(chain[0])
    try:
        begins, ends = _date(fields["Start date"]), _date(fields["Expire date"])
        return Certificate(_names(fields), begins, ends, fields.get("Issuer", ""))
    except (KeyError, ValueError, OverflowError):
        return None


def _date(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _names(fields: dict[str, str]) -> tuple[str, ...]:
    """Its alternative names; the common name only counts where there are none of these (RFC 6125)."""
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", fields.get("X509v3 Subject Alternative Name", ""))
    return tuple(names or re.findall(r"\bCN = ([^,]+)", fields.get("Subject", "")))


def handshake_words(message: str) -> str:
    for part, words in HANDSHAKE_WORDS.items():
        if part in message:
            return words
    # "TLS connect error: error:0A000410:SSL routines::ssl/tls alert handshake failure" → the last part
    return f"TLS handshake failed: {message.rsplit('::', 1)[-1].partition(', errno')[0]}"


def certificate_words(result: int, message: str, certificate: Certificate | None, now: datetime) -> str:
    """Why a certificate was refused: OpenSSL's result, libcurl's message, and what it says if it was read."""
    if result == EXPIRED:
        return _expired_words(certificate, now)
    if result == NOT_YET_VALID:
        return _early_words(certificate, now)
    if result in OTHER_NAME:
        return _other_names_words(certificate)
    if result in VERIFY_WORDS:
        return VERIFY_WORDS[result]
    return f"certificate not accepted: {message.removeprefix('SSL certificate OpenSSL verify result: ')}"


def _expired_words(certificate: Certificate | None, now: datetime) -> str:
    if certificate is None:
        return "certificate expired"
    if certificate.not_after > now:
        return "certificate of its issuer expired"
    age = in_words((now - certificate.not_after).total_seconds()).split(", ")[0]
    return f"certificate expired {age} ago"


def _early_words(certificate: Certificate | None, now: datetime) -> str:
    if certificate is None or certificate.not_before <= now:
        return "certificate not valid yet"
    return f"certificate not valid before {certificate.not_before:%Y-%m-%d}"


def _other_names_words(certificate: Certificate | None) -> str:
    if certificate is None:
        return "certificate is for other names"
    if not certificate.names:
        return "certificate names no host"
    more = ", …" if len(certificate.names) > NAMES_SHOWN else ""
    return f"certificate is for other names ({', '.join(certificate.names[:NAMES_SHOWN])}{more})"
