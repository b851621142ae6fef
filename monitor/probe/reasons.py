"""Why an answer or a failure is what it is, in words for people, and whose fault it is.

Pure: error numbers and facts in, a verdict and at most 200 characters out. No socket, no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from errno import (
    EACCES,
    EADDRNOTAVAIL,
    ECONNREFUSED,
    ECONNRESET,
    EHOSTUNREACH,
    EMFILE,
    ENETDOWN,
    ENETUNREACH,
    ENFILE,
    ENOBUFS,
    ENOMEM,
    EPERM,
    ETIMEDOUT,
)
from http import HTTPStatus

import pycurl

from monitor.probe.certificates import (
    NEED_ITS_WORDS,
    Certificate,
    certificate_words,
    handshake_words,
)
from monitor.verdicts import Verdict

MAX_REASON = 200  # what the column holds
TOO_LARGE = 100  # CURLE_TOO_LARGE has no name in pycurl


class Phase(Enum):
    """How far a request came; the value says what was missing when time ran out."""

    CONNECTING = "no connection"
    HANDSHAKE = "TLS handshake not finished"
    HEADERS = "no headers"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an answer, as libcurl reports it.

    ``code`` and ``message`` are libcurl's, ``errno`` is that of the last connection attempt (0: none),
    ``verify_result`` OpenSSL's. ``ipv6``: at least one of the addresses tried was of that family. ``no_way``:
    this machine knows no way to any of them.
    """

    code: int
    message: str = ""
    errno: int = 0
    phase: Phase = Phase.CONNECTING
    ipv6: bool = False
    verify_result: int = 0
    certificate: Certificate | None = None
    no_way: bool = False


# --- Answers -------------------------------------------------------------------------------------
def of_code(code: int) -> str:
    """``503`` → ``HTTP 503 Service Unavailable``."""
    if not 100 <= code <= 599:
        return f"HTTP {code}, which is no status code"
    try:
        return f"HTTP {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"HTTP {code}"


# --- Failures ------------------------------------------------------------------------------------
# Errors that only this machine or this program can cause.
OUR_ERRNOS = {
    EMFILE: "this process has too many open files",
    ENFILE: "this machine has too many open files",
    ENOBUFS: "this machine has no buffer space left",
    ENOMEM: "this machine is out of memory",
}
OUR_CODES = {
    pycurl.E_OUT_OF_MEMORY,
    pycurl.E_FAILED_INIT,
    pycurl.E_NOT_BUILT_IN,
    pycurl.E_COULDNT_RESOLVE_HOST,  # libcurl is given addresses and never looks anything up
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_WRITE_ERROR,
    pycurl.E_FUNCTION_NOT_FOUND,
    pycurl.E_ABORTED_BY_CALLBACK,
    pycurl.E_BAD_FUNCTION_ARGUMENT,
    pycurl.E_UNKNOWN_OPTION,
    pycurl.E_SSL_ENGINE_NOTFOUND,
    pycurl.E_SSL_ENGINE_SETFAILED,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
}
# No local address or port to connect from, or a rule of this machine's own firewall. Where one of the
# addresses was IPv6 it may only mean that this machine has no IPv6: then the site stays the one judged.
OUR_ERRNOS_ON_IPV4 = {
    EADDRNOTAVAIL: "this machine has no free port left",
    EPERM: "this machine's firewall forbids the connection",
    EACCES: "this machine's firewall forbids the connection",
}
CONNECT_WORDS = {
    ECONNREFUSED: "connection refused",
    EHOSTUNREACH: "no route to host",
    ENETUNREACH: "network unreachable",
    ENETDOWN: "network unreachable",
    EADDRNOTAVAIL: "network unreachable",
    ECONNRESET: "connection reset",
    ETIMEDOUT: "no connection: the other side does not answer",
}
HTTP2_STREAM = 92  # CURLE_HTTP2_STREAM, for which pycurl has no name
CLOSED_EARLY = "connection closed before the headers ended"
PLAIN_WORDS = {
    pycurl.E_GOT_NOTHING: CLOSED_EARLY,
    pycurl.E_PARTIAL_FILE: CLOSED_EARLY,
    pycurl.E_UNSUPPORTED_PROTOCOL: "not an HTTP answer",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "not an HTTP answer",
    pycurl.E_HTTP2: "HTTP/2 connection broken before the headers ended",
    HTTP2_STREAM: "HTTP/2 stream reset before the headers ended",
    TOO_LARGE: "headers too large",
}


def of_failure(failure: Failure, timeout_s: float, now: datetime) -> tuple[Verdict, str]:
    """Whose fault it is, and why: INCONCLUSIVE where it is ours, DOWN otherwise."""
    if (ours := _ours(failure)) is not None:
        return Verdict.INCONCLUSIVE, clean(ours)
    return Verdict.DOWN, clean(_site_words(failure, timeout_s, now))


def too_slow(reason: str) -> bool:
    """Does this reason of :func:`of_failure` say that time ran out?"""
    return any(reason.startswith(f"{phase.value} within ") for phase in Phase)


def needs_certificate(failure: Failure) -> bool:
    """Do its words need dates or names of the certificate that was refused?"""
    return refuses_certificate(failure) and failure.verify_result in NEED_ITS_WORDS


def refuses_certificate(failure: Failure) -> bool:
    """Was a certificate seen, and not believed?"""
    return failure.code == pycurl.E_PEER_FAILED_VERIFICATION


def clean(words: str) -> str:
    """One line of printable characters that fits its column: servers and certificates write into it."""
    line = "".join(letter if letter.isprintable() else " " for letter in words)
    line = re.sub(r" +", " ", line).strip()
    return line if len(line) <= MAX_REASON else line[: MAX_REASON - 1] + "…"


def _ours(failure: Failure) -> str | None:
    if failure.no_way:
        return f"this machine has no way to {'IPv6' if failure.ipv6 else 'IPv4'} addresses"
    if failure.code == pycurl.E_COULDNT_CONNECT:
        if failure.errno in OUR_ERRNOS:
            return OUR_ERRNOS[failure.errno]
        return None if failure.ipv6 else OUR_ERRNOS_ON_IPV4.get(failure.errno)
    if failure.code == pycurl.E_SSL_CACERT_BADFILE:
        return f"the CA certificates cannot be read: {failure.message}"
    if failure.code in OUR_CODES:
        return f"a fault of this program: {failure.message} (libcurl {failure.code})"
    return None


def _site_words(failure: Failure, timeout_s: float, now: datetime) -> str:
    message = failure.message
    match failure.code:
        case code if code in PLAIN_WORDS:
            words = PLAIN_WORDS[code]
        case pycurl.E_OPERATION_TIMEDOUT:
            words = f"{failure.phase.value} within {timeout_s:g} s"
        case pycurl.E_COULDNT_CONNECT:
            words = CONNECT_WORDS.get(failure.errno, "no connection could be made")
        case pycurl.E_URL_MALFORMAT:
            words = f"malformed URL: {message}"
        case pycurl.E_PEER_FAILED_VERIFICATION:
            words = certificate_words(failure.verify_result, message, failure.certificate, now)
        case pycurl.E_SSL_CONNECT_ERROR:
            words = handshake_words(message)
        case pycurl.E_RECV_ERROR | pycurl.E_SEND_ERROR:
            words = _broken_words(message)
        case code:
            words = f"request failed: {message} (libcurl {code})"
    return words


def _broken_words(message: str) -> str:
    """A connection that broke later: only here TLS 1.3 servers refuse a client without certificate."""
    if message.startswith("Too large response headers"):
        return "headers too large"
    if "Connection reset" in message or "Broken pipe" in message:
        return "connection reset"
    if "unexpected eof" in message:
        return CLOSED_EARLY
    if "SSL" in message:
        return handshake_words(message)
    return f"connection broke: {message}"
