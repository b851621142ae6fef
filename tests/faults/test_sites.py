"""Every fault that a site can have, all in one run among good sites: each has its reason, none costs another.

One at a time they are in tests/monitor: test_probe (answers, names), test_probe_tls, test_probe_urls.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from monitor.probe import Limits, probe_all
from monitor.verdicts import ProbeResult, Target, Verdict
from tests.monitor.servers import (
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    A,
    Answer,
    Behaviour,
    answers,
    closed_port,
    drips,
    greets,
    name_server,
    repeats,
    resets,
    says_and_waits,
    self_signed_context,
    status,
    tcp_server,
    tls_context,
)

OK = b"HTTP/1.1 200 OK\r\n"
TIMEOUT_S = 1.5
CLOSED = "connection closed before the headers ended"
SILENT = f"no headers within {TIMEOUT_S:g} s"

URLS = {
    "": "malformed URL: it starts with neither",
    "a.example/x": "malformed URL: it starts with neither",
    "gopher://a.example/": "malformed URL: it starts with neither",
    "javascript:alert(1)": "malformed URL: it starts with neither",
    "http://me:secret@a.example/": "malformed URL: it has a user name or password",
    "http://[::1/": "malformed URL: Invalid IPv6 URL",
    "http://a b.example/": "malformed URL: it has white space",
    "http://a.example:99999/": "malformed URL: Port out of range",
    "http://\u2603\u200d.example/": "malformed URL: ",
    "http://nowhere.invalid/": "name not found",
    "http://unknown.example/": "name not found",
    "http://failing.example/": "name server failed for this name",
    "http://refused.example/": "name server refuses to look up this name",
    "http://silent.example/": "name look-up timed out",
    "http://empty.example/": "name not found",
}
BEHAVIOURS: dict[str, tuple[Behaviour, str]] = {
    "says nothing": (says_and_waits(b""), SILENT),
    "a byte a second": (drips(OK + b"Content-Length: 0\r\n\r\n", 1.0), SILENT),
    "closes at once": (answers(b""), CLOSED),
    "closes in the middle": (answers(OK + b"Foo: b"), CLOSED),
    "resets": (resets, "connection reset"),
    "10 MB of headers": (answers(OK + b"X: aaaaaaaaaaaaaaa\r\n" * 500_000 + b"\r\n"), "headers too large"),
    "garbage": (answers(bytes(range(256)) * 100), "not an HTTP answer"),
    "HTTP/0.9": (answers(b"<html>hello</html>"), "not an HTTP answer"),
    "1xx for ever": (repeats(b"HTTP/1.1 100 Continue\r\n\r\n"), "headers too large"),
    "302 to itself": (answers(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), "HTTP 302 Found"),
    "999": (status("999 Denied"), "HTTP 999, which is no status code"),
    "600": (status("600 More"), "HTTP 600, which is no status code"),
    "405": (status("405 No"), "HTTP 405 Method Not Allowed"),
    "501": (status("501 No"), "HTTP 501 Not Implemented"),
    "503": (status("503 Busy"), "HTTP 503 Service Unavailable"),
}


@dataclass
class Case:
    """What is asked, and how the reason must begin; nothing: it is up."""

    url: str
    reason: str = ""


@dataclass
class Field:
    stack: ExitStack
    cases: list[Case] = field(default_factory=list)

    def serve(self, behaviour: Behaviour, reason: str, context: ssl.SSLContext | None = None) -> None:
        server = self.stack.enter_context(tcp_server(behaviour, context=context))
        self.cases.append(Case(server.url(), reason))


def zone(name: str, kind: int) -> Answer | None:
    first = name.partition(".")[0]
    said = {"unknown": NXDOMAIN, "failing": SERVFAIL, "refused": REFUSED}
    if first == "silent":
        return None
    if first in said:
        return Answer(code=said[first])
    if first == "slow":
        return Answer(("127.0.0.1",) if kind == A else (), delay_s=0.3)
    if first == "four" and kind != A:
        return None  # nothing in one family, not even an answer
    return Answer(("127.0.0.1",) if kind == A and first != "empty" else ())


def legacy_context(authority: trustme.CA) -> ssl.SSLContext:
    """A server that speaks TLS 1.0 and nothing newer."""
    context = tls_context(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def broken_chain(authority: trustme.CA) -> ssl.SSLContext:
    """A certificate of an intermediate authority that the server does not send along."""
    leaf = authority.create_child_ca().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.cert_chain_pems[0].tempfile() as chain, leaf.private_key_pem.tempfile() as key:
        context.load_cert_chain(chain, key)
    return context


def certificates(authority: trustme.CA) -> dict[str, ssl.SSLContext]:
    now = datetime.now(UTC)
    early: dict[str, Any] = {"not_before": now + timedelta(9), "not_after": now + timedelta(19)}
    late: dict[str, Any] = {"not_before": now - timedelta(9), "not_after": now - timedelta(3)}
    return {
        "certificate expired": tls_context(authority.issue_cert("127.0.0.1", **late)),
        "certificate not valid before": tls_context(authority.issue_cert("127.0.0.1", **early)),
        "certificate is for other names": tls_context(authority.issue_cert("a.example")),
        "certificate signed by an unknown authority": broken_chain(authority),
        "self-signed certificate": self_signed_context(),
        "TLS version too old": legacy_context(authority),
    }


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cases(authority: trustme.CA) -> Iterator[list[Case]]:
    """All faults, and a good site after each."""
    with ExitStack() as stack:
        here = Field(stack)
        here.cases += [Case(url, reason) for url, reason in URLS.items()]
        here.cases.append(Case(f"http://127.0.0.1:{closed_port()}/", "connection refused"))
        for behaviour, reason in BEHAVIOURS.values():
            here.serve(behaviour, reason)
        for reason, context in certificates(authority).items():
            here.serve(status("200 OK"), reason, context)
        here.serve(greets(b"HTTP/1.1 400 Bad\r\n\r\n"), "TLS handshake failed: the answer is not TLS")
        here.cases[-1].url = here.cases[-1].url.replace("http:", "https:")
        good = stack.enter_context(tcp_server(status("200 OK")))
        secure = stack.enter_context(
            tcp_server(status("200 OK"), context=tls_context(authority.issue_cert("127.0.0.1")))
        )
        urls = [
            good.url(),
            good.url(path="/a#fragment"),
            good.url(path="/" + "x" * 5000),
            good.url(path="/\u00fc\u2603?\u00f6=1"),
            good.url("slow.example"),
            good.url("four.example"),
            good.url("good.example"),
            secure.url(),
        ]
        bad = list(here.cases)
        yield [one for number, case in enumerate(bad) for one in (case, Case(urls[number % len(urls)]))]


def test_all_faults_at_once_cost_no_good_site_anything(cases, authority, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    targets = [Target(number, case.url, frozenset({200})) for number, case in enumerate(cases)]
    with name_server(zone) as names:
        limits = Limits(TIMEOUT_S, 0.8, 256, 200, str(tmp_path / "ca.pem"), (names.address,))
        began = time.monotonic()
        results = probe_all(targets, limits)
        took_s = time.monotonic() - began
    assert took_s < TIMEOUT_S + 1.5
    by_key: dict[int, ProbeResult] = {result.key: result for result in results}
    assert len(by_key) == len(results) == len(cases)
    for number, case in enumerate(cases):
        result = by_key[number]
        wanted = Verdict.DOWN if case.reason else Verdict.UP
        assert (result.verdict, case.url) == (wanted, case.url), result.reason
        assert result.reason.startswith(case.reason or "HTTP 200"), (case.url, result.reason)
