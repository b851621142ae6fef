"""Every failure that libcurl reports has its words, and is either the site's or ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
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

import pycurl
import pytest

from monitor.probe.certificates import Certificate
from monitor.probe.reasons import (
    MAX_REASON,
    TOO_LARGE,
    Failure,
    Phase,
    clean,
    needs_certificate,
    of_code,
    of_failure,
    too_slow,
)
from monitor.verdicts import Verdict

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def connect(errno: int, *, ipv6: bool = False) -> Failure:
    return Failure(pycurl.E_COULDNT_CONNECT, "Could not connect to server", errno, ipv6=ipv6)


def timeout(phase: Phase) -> Failure:
    return Failure(pycurl.E_OPERATION_TIMEDOUT, "Connection timed out", phase=phase)


def handshake(message: str) -> Failure:
    return Failure(pycurl.E_SSL_CONNECT_ERROR, message, phase=Phase.HANDSHAKE)


def received(message: str) -> Failure:
    return Failure(pycurl.E_RECV_ERROR, message, phase=Phase.HEADERS)


def refused(result: int, certificate: Certificate | None = None) -> Failure:
    message = f"SSL certificate OpenSSL verify result: some words ({result})"
    return Failure(pycurl.E_PEER_FAILED_VERIFICATION, message, verify_result=result, certificate=certificate)


def certificate(
    *names: str, begins: timedelta = timedelta(days=-90), ends: timedelta = timedelta(days=90)
) -> Certificate:
    return Certificate(names, NOW + begins, NOW + ends)


EXPIRED, EARLY = timedelta(days=-3, hours=-2), timedelta(days=26)

SITE = {
    "refused": (connect(ECONNREFUSED), "connection refused"),
    "no route": (connect(EHOSTUNREACH), "no route to host"),
    "network unreachable": (connect(ENETUNREACH), "network unreachable"),
    "network down": (connect(ENETDOWN), "network unreachable"),
    "reset while connecting": (connect(ECONNRESET), "connection reset"),
    "kernel gave up": (connect(ETIMEDOUT), "no connection: the other side does not answer"),
    "no IPv6 here, IPv6 only": (connect(EADDRNOTAVAIL, ipv6=True), "network unreachable"),
    "unknown errno": (connect(0), "no connection could be made"),
    "time out, connecting": (timeout(Phase.CONNECTING), "no connection within 5 s"),
    "time out, handshake": (timeout(Phase.HANDSHAKE), "TLS handshake not finished within 5 s"),
    "time out, headers": (timeout(Phase.HEADERS), "no headers within 5 s"),
    "closed at once": (Failure(pycurl.E_GOT_NOTHING), "connection closed before the headers ended"),
    "closed within": (Failure(pycurl.E_PARTIAL_FILE), "connection closed before the headers ended"),
    "reset": (received("Recv failure: Connection reset by peer"), "connection reset"),
    "broken pipe": (Failure(pycurl.E_SEND_ERROR, "Send failure: Broken pipe"), "connection reset"),
    "broken otherwise": (received("Recv failure: Odd"), "connection broke: Recv failure: Odd"),
    "HTTP/0.9": (Failure(pycurl.E_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9"), "not an HTTP answer"),
    "broken header": (Failure(pycurl.E_FTP_WEIRD_SERVER_REPLY), "not an HTTP answer"),
    "long header": (Failure(TOO_LARGE), "headers too large"),
    "many headers": (received("Too large response headers: 307223 > 307200"), "headers too large"),
    "URL": (Failure(pycurl.E_URL_MALFORMAT, "bad port"), "malformed URL: bad port"),
    "old TLS": (
        handshake("TLS connect error: error:0A00042E:SSL routines::tlsv1 alert protocol version"),
        "TLS version too old",
    ),
    "older TLS": (handshake("error:0A000102:SSL routines::unsupported protocol"), "TLS version too old"),
    "plain HTTP": (
        handshake("TLS connect error: error:0A00010B:SSL routines::wrong version number"),
        "TLS handshake failed: the answer is not TLS",
    ),
    "TLS reset": (
        handshake("Recv failure: Connection reset by peer"),
        "TLS handshake failed: connection reset",
    ),
    "TLS closed": (
        handshake("OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to x:443"),
        "TLS handshake failed: connection closed",
    ),
    "TLS closed politely": (
        handshake("TLS connect error: error:0A000126:SSL routines::unexpected eof while reading"),
        "TLS handshake failed: connection closed",
    ),
    "TLS other": (
        handshake("TLS connect error: error:0A000410:SSL routines::sslv3 alert handshake failure"),
        "TLS handshake failed: sslv3 alert handshake failure",
    ),
    "closed over TLS": (
        received("OpenSSL SSL_read: error:0A000126:SSL routines::unexpected eof while reading, errno 0"),
        "connection closed before the headers ended",
    ),
    "client certificate": (
        received("OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0"),
        "TLS handshake failed: the server asks for a client certificate",
    ),
    "expired": (refused(10, certificate(ends=EXPIRED)), "certificate expired 3 days ago"),
    "expired just now": (
        refused(10, certificate(ends=timedelta(minutes=-1))),
        "certificate expired 1 minute ago",
    ),
    "expired, unread": (refused(10), "certificate expired"),
    "issuer expired": (refused(10, certificate()), "certificate of its issuer expired"),
    "not yet valid": (refused(9, certificate(begins=EARLY)), "certificate not valid before 2026-05-30"),
    "not yet valid, unread": (refused(9), "certificate not valid yet"),
    "issuer not yet valid": (refused(9, certificate()), "certificate not valid yet"),
    "self-signed": (refused(18), "self-signed certificate"),
    "own root": (refused(19), "certificate signed by an unknown authority"),
    "unknown issuer": (refused(20), "certificate signed by an unknown authority"),
    "issuer not sent": (refused(21), "certificate signed by an unknown authority"),
    "revoked": (refused(23), "certificate revoked"),
    "other name": (refused(1, certificate("a.example")), "certificate is for other names (a.example)"),
    "other names": (
        refused(62, certificate("a.example", "b.example", "c.example", "d.example")),
        "certificate is for other names (a.example, b.example, c.example, …)",
    ),
    "other names, unread": (refused(0), "certificate is for other names"),
    "no name": (refused(64, certificate()), "certificate names no host"),
    "weak key": (refused(66), "certificate not accepted: some words (66)"),
    "HTTP/2": (
        Failure(pycurl.E_HTTP2, "Error in the framing layer"),
        "HTTP/2 connection broken before the headers ended",
    ),
}

OURS = {
    "open files": (connect(EMFILE), "this process has too many open files"),
    "open files, IPv6": (connect(EMFILE, ipv6=True), "this process has too many open files"),
    "open files of all": (connect(ENFILE), "this machine has too many open files"),
    "buffers": (connect(ENOBUFS), "this machine has no buffer space left"),
    "memory for a socket": (connect(ENOMEM), "this machine is out of memory"),
    "ports": (connect(EADDRNOTAVAIL), "this machine has no free port left"),
    "no IPv4 left": (
        replace(connect(ENETUNREACH), no_way=True),
        "this machine has no way to IPv4 addresses",
    ),
    "no IPv6 left": (
        replace(connect(ENETUNREACH, ipv6=True), no_way=True),
        "this machine has no way to IPv6 addresses",
    ),
    "firewall": (connect(EPERM), "this machine's firewall forbids the connection"),
    "prohibited route": (connect(EACCES), "this machine's firewall forbids the connection"),
    "memory": (
        Failure(pycurl.E_OUT_OF_MEMORY, "Out of memory"),
        "a fault of this program: Out of memory (libcurl 27)",
    ),
    "CA file": (
        Failure(pycurl.E_SSL_CACERT_BADFILE, "error adding trust anchors from file: /x.pem"),
        "the CA certificates cannot be read: error adding trust anchors from file: /x.pem",
    ),
    "name not given": (
        Failure(pycurl.E_COULDNT_RESOLVE_HOST, "Could not resolve host: x"),
        "a fault of this program: Could not resolve host: x (libcurl 6)",
    ),
}


@pytest.mark.parametrize(("failure", "words"), SITE.values(), ids=SITE)
def test_failure_of_the_site(failure: Failure, words: str) -> None:
    assert of_failure(failure, 5, NOW) == (Verdict.DOWN, words)


@pytest.mark.parametrize(("failure", "words"), OURS.values(), ids=OURS)
def test_failure_of_ours(failure: Failure, words: str) -> None:
    assert of_failure(failure, 5, NOW) == (Verdict.INCONCLUSIVE, words)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (200, "HTTP 200 OK"),
        (301, "HTTP 301 Moved Permanently"),
        (503, "HTTP 503 Service Unavailable"),
        (599, "HTTP 599"),
        (600, "HTTP 600, which is no status code"),
        (99, "HTTP 99, which is no status code"),
    ],
)
def test_code_in_words(code: int, words: str) -> None:
    assert of_code(code) == words


def test_every_time_out_is_too_slow_and_nothing_else_is() -> None:
    slow = {name for name, (_, words) in SITE.items() if too_slow(words)}
    assert slow == {"time out, connecting", "time out, handshake", "time out, headers"}


@pytest.mark.parametrize(
    ("failure", "needed"),
    [
        pytest.param(refused(10), True, id="expired"),
        pytest.param(refused(9), True, id="early"),
        pytest.param(refused(0), True, id="other name"),
        pytest.param(refused(20), False, id="unknown issuer"),
        pytest.param(replace(refused(0), code=pycurl.E_GOT_NOTHING), False, id="no certificate"),
    ],
)
def test_certificate_is_read_only_for_its_words(failure: Failure, needed: bool) -> None:
    assert needs_certificate(failure) is needed


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param("a\r\n\x1b[2Jb\x00c", "a [2Jb c", id="control characters"),
        pytest.param("x" * MAX_REASON, "x" * MAX_REASON, id="just fits"),
        pytest.param("x" * 201, "x" * 199 + "…", id="too long"),
    ],
)
def test_words_fit_one_line_of_their_column(raw: str, words: str) -> None:
    assert clean(raw) == words
