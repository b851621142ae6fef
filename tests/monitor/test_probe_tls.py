"""HTTPS against real servers with good and bad certificates, and with none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from monitor.probe import Limits, probe_all
from monitor.probe.certificates import read_chain
from monitor.probe.handles import find_ca_file
from monitor.verdicts import ProbeResult, Target, Verdict
from tests.monitor.servers import (
    Behaviour,
    TcpServer,
    answers,
    greets,
    read_head,
    says_and_waits,
    self_signed_context,
    status,
    tcp_server,
    tls_context,
)

NOW = datetime.now(UTC)
OK = status("200 OK")
Issue = Callable[[trustme.CA], trustme.LeafCert]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def limits(authority: trustme.CA) -> Iterator[Limits]:
    with authority.cert_pem.tempfile() as path:
        yield Limits(timeout_s=1, ca_file=path)


def probe(url: str, limits: Limits) -> ProbeResult:
    (result,) = probe_all([Target(0, url, frozenset({200}))], limits)
    return result


def test_good_certificate(authority: trustme.CA, limits: Limits) -> None:
    with tcp_server(OK, context=tls_context(authority.issue_cert("127.0.0.1"))) as server:
        result = probe(server.url(), limits)
    assert (result.verdict, result.code) == (Verdict.UP, 200)
    assert result.connect_ms
    assert result.tls_ms
    assert result.wait_ms
    assert result.connect_ms + result.tls_ms + result.wait_ms <= result.total_ms


@pytest.mark.parametrize("curve", ["X25519", "prime256v1", "secp384r1", "secp521r1"])
def test_a_server_may_insist_on_a_curve(authority: trustme.CA, limits: Limits, curve: str) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1"))
    context.set_ecdh_curve(curve)
    with tcp_server(OK, context=context) as server:
        assert probe(server.url(), limits).verdict is Verdict.UP


CERTIFICATES: dict[str, tuple[Issue, str]] = {
    "expired": (
        lambda ca: ca.issue_cert("127.0.0.1", not_before=NOW - timedelta(9), not_after=NOW - timedelta(3.1)),
        "certificate expired 3 days ago",
    ),
    "not yet valid": (
        lambda ca: ca.issue_cert(
            "127.0.0.1",
            not_before=datetime(2099, 1, 1, tzinfo=UTC),
            not_after=datetime(2099, 2, 1, tzinfo=UTC),
        ),
        "certificate not valid before 2099-01-01",
    ),
    "other names": (
        lambda ca: ca.issue_cert("a.example", "b.example"),
        "certificate is for other names (a.example, b.example)",
    ),
    "other address": (
        lambda ca: ca.issue_cert("127.0.0.9"),
        "certificate is for other names (127.0.0.9)",
    ),
    "unknown authority": (
        lambda ca: trustme.CA().issue_cert("127.0.0.1"),
        "certificate signed by an unknown authority",
    ),
}


@pytest.mark.parametrize(("issue", "reason"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_bad_certificate(issue: Issue, reason: str, authority: trustme.CA, limits: Limits) -> None:
    with tcp_server(OK, context=tls_context(issue(authority))) as server:
        result = probe(server.url(), limits)
    assert (result.verdict, result.code, result.reason) == (Verdict.DOWN, None, reason)
    assert result.tls_ms is None
    assert result.wait_ms is None


def test_self_signed_certificate(limits: Limits) -> None:
    with tcp_server(OK, context=self_signed_context()) as server:
        assert probe(server.url(), limits).reason == "self-signed certificate"


def test_nothing_is_sent_to_a_server_whose_certificate_is_refused(
    authority: trustme.CA, limits: Limits
) -> None:
    seen: list[bytes] = []
    context = tls_context(authority.issue_cert("a.example"))
    with tcp_server(lambda connection: seen.append(read_head(connection)), context=context) as server:
        probe(server.url(), limits)
    assert b"".join(seen) == b""


def test_server_asks_for_a_client_certificate(authority: trustme.CA, limits: Limits) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1"), client_authority=authority)
    with tcp_server(OK, context=context) as server:
        reason = probe(server.url(), limits).reason
    assert reason == "TLS handshake failed: the server asks for a client certificate"


NO_TLS: dict[str, tuple[Behaviour, str]] = {
    "old version": (greets(b"\x15\x03\x01\x00\x02\x02\x46"), "TLS version too old"),
    "no common cipher": (
        greets(b"\x15\x03\x03\x00\x02\x02\x28"),
        "TLS handshake failed: ssl/tls alert handshake failure",
    ),
    "plain HTTP": (
        greets(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "TLS handshake failed: the answer is not TLS",
    ),
    "closes": (greets(b""), "TLS handshake failed: connection closed"),
    "silent": (says_and_waits(b""), "TLS handshake not finished within 0.3 s"),
}


@pytest.mark.parametrize(("behaviour", "reason"), NO_TLS.values(), ids=NO_TLS)
def test_handshake_that_fails(behaviour: Behaviour, reason: str, limits: Limits) -> None:
    began = time.monotonic()
    with tcp_server(behaviour) as server:
        result = probe(server.url().replace("http:", "https:"), replace(limits, timeout_s=0.3))
    assert time.monotonic() - began < 0.3 + 0.5
    assert (result.verdict, result.reason) == (Verdict.DOWN, reason)


def test_headers_that_never_come_over_tls(authority: trustme.CA, limits: Limits) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1"))
    with tcp_server(says_and_waits(b""), context=context) as server:
        result = probe(server.url(), replace(limits, timeout_s=0.3))
    assert result.reason == "no headers within 0.3 s"
    assert result.tls_ms


def test_connection_closed_over_tls(authority: trustme.CA, limits: Limits) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1"))
    with tcp_server(answers(b"HTTP/1.1 200 OK\r\nFoo: b"), context=context) as server:
        assert probe(server.url(), limits).reason == "connection closed before the headers ended"


# --- Which authorities are believed --------------------------------------------------------------
@pytest.fixture
def good_server(authority: trustme.CA) -> Iterator[TcpServer]:
    with tcp_server(OK, context=tls_context(authority.issue_cert("127.0.0.1"))) as server:
        yield server


def test_ssl_cert_file_is_honoured(
    good_server: TcpServer, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(limits.ca_file))
    assert probe(good_server.url(), Limits(timeout_s=1)).verdict is Verdict.UP


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["missing", "empty", "garbage"])
def test_ca_file_that_cannot_be_read_is_our_fault(
    content: bytes | None, good_server: TcpServer, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    result = probe(good_server.url(), Limits(timeout_s=1, ca_file=str(path)))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("the CA certificates cannot be read")


def test_ca_file_that_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert "BEGIN CERTIFICATE" in Path(find_ca_file()).read_text()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    assert find_ca_file() == str(tmp_path / "missing.pem")


# --- What libcurl tells of a certificate ---------------------------------------------------------
DATES = [("Start date", "Oct 23 03:03:35 2026 GMT"), ("Expire date", "Nov 19 03:03:35 2026 GMT")]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        pytest.param(
            [("X509v3 Subject Alternative Name", "DNS:a.example, IP Address:10.0.0.1"), *DATES],
            ("a.example", "10.0.0.1"),
            id="alternative names",
        ),
        pytest.param([("Subject", "O = x, CN = a.example"), *DATES], ("a.example",), id="common name"),
        pytest.param([("X509v3 Subject Alternative Name", "<EMPTY>\n"), *DATES], (), id="no name"),
    ],
)
def test_certificate_is_read(fields: list[tuple[str, str]], names: tuple[str, ...]) -> None:
    certificate = read_chain([fields])
    assert certificate is not None
    assert certificate.names == names
    assert certificate.not_after == datetime(2026, 11, 19, 3, 3, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    "chain",
    [[], [[("Subject", "CN = a")]], [[("Start date", "some day"), ("Expire date", "never")]]],
    ids=["nothing", "no dates", "odd dates"],
)
def test_certificate_that_cannot_be_read(chain: list[list[tuple[str, str]]]) -> None:
    assert read_chain(chain) is None


# --- The end of a certificate --------------------------------------------------------------------
ENDS = (NOW + timedelta(days=42)).replace(microsecond=0)
READ: dict[str, tuple[Issue, datetime]] = {
    "good": (lambda ca: ca.issue_cert("127.0.0.1", not_after=ENDS), ENDS),
    "expired": (
        lambda ca: ca.issue_cert(
            "127.0.0.1", not_before=NOW - timedelta(9), not_after=ENDS - timedelta(days=50)
        ),
        ENDS - timedelta(days=50),
    ),
    "unknown authority": (lambda ca: trustme.CA().issue_cert("127.0.0.1", not_after=ENDS), ENDS),
}


@pytest.mark.parametrize(("issue", "ends"), READ.values(), ids=READ)
def test_end_of_a_certificate_is_read_where_it_is_asked_for(
    issue: Issue, ends: datetime, authority: trustme.CA, limits: Limits
) -> None:
    with tcp_server(OK, context=tls_context(issue(authority))) as server:
        wanted = [Target(0, server.url(), frozenset({200}), read_certificate=read) for read in (True, False)]
        found = [probe_all([target], limits)[0].certificate_ends for target in wanted]
    assert found == [ends, None]


def test_a_handle_that_is_used_again_reads_only_what_is_asked_for(
    authority: trustme.CA, limits: Limits
) -> None:
    with tcp_server(OK, context=tls_context(authority.issue_cert("127.0.0.1", not_after=ENDS))) as server:
        targets = [
            Target(key, server.url(), frozenset({200}), read_certificate=key % 2 == 0) for key in range(6)
        ]
        results = probe_all(targets, replace(limits, concurrency=1))
    found = {result.key: result.certificate_ends for result in results}
    assert found == {key: ENDS if key % 2 == 0 else None for key in range(6)}


def test_end_is_read_where_no_answer_comes(authority: trustme.CA, limits: Limits) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1", not_after=ENDS))
    with tcp_server(answers(b""), context=context) as server:
        (result,) = probe_all([Target(0, server.url(), frozenset({200}), read_certificate=True)], limits)
    assert (result.code, result.certificate_ends) == (None, ENDS)
