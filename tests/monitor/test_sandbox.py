"""Are we online? Any HTTP answer says yes; silence, refusal and broken names say no, in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from monitor.probe import Limits
from monitor.sandbox import SandboxReport, look
from monitor.verdicts import ProbeResult, Verdict
from tests.monitor.servers import answers, closed_port, says_and_waits, status, tcp_server

LIMITS = Limits(timeout_s=0.3, lookup_timeout_s=0.2)


def answer(key: int, reason: str, code: int | None = None) -> ProbeResult:
    return ProbeResult(key, datetime(2026, 5, 4, tzinfo=UTC), Verdict.DOWN, code, reason, "HEAD", 1.0)


@pytest.mark.parametrize("line", ["200 OK", "404 Not Found", "503 Busy", "301 Moved"])
def test_any_http_answer_means_online(line: str) -> None:
    with tcp_server(status(line)) as server:
        report = look([f"http://127.0.0.1:{closed_port()}/", server.url()], LIMITS)
    assert report.reachable
    assert report.sentence.startswith(f"127.0.0.1:{server.port} answered (HTTP {line[:3]}")


def test_one_answer_is_enough() -> None:
    with tcp_server(says_and_waits(b"")) as silent, tcp_server(status("200 OK")) as server:
        began = time.monotonic()
        report = look([silent.url(), server.url()], Limits(timeout_s=5))
    assert report.reachable
    assert time.monotonic() - began < 2


def test_nobody_answers() -> None:
    with tcp_server(says_and_waits(b"")) as silent, tcp_server(answers(b"")) as closing:
        began = time.monotonic()
        report = look([silent.url(), closing.url(), "http://a.invalid/"], LIMITS)
    assert time.monotonic() - began < LIMITS.timeout_s + 0.5
    assert not report.reachable
    assert report.sentence == (
        f"none of 127.0.0.1:{silent.port}, 127.0.0.1:{closing.port}, a.invalid answered "
        "(no headers within 0.3 s; connection closed before the headers ended; name not found)"
    )


def test_nothing_to_ask_means_online() -> None:
    assert look([], LIMITS) == SandboxReport(reachable=True)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        pytest.param(SandboxReport(True), "nothing to ask: the precheck is off", id="off"),
        pytest.param(
            SandboxReport(False, (answer(0, "connection refused"),), ("a.example",)),
            "a.example did not answer (connection refused)",
            id="one",
        ),
        pytest.param(
            SandboxReport(False, (answer(0, "name not found"), answer(1, "name not found")), ("a", "b")),
            "none of a, b answered (name not found)",
            id="same reason",
        ),
        pytest.param(
            SandboxReport(True, (answer(0, "name not found"), answer(1, "HTTP 200 OK", 200)), ("a", "b")),
            "b answered (HTTP 200 OK)",
            id="one of two",
        ),
    ],
)
def test_sentence(report: SandboxReport, sentence: str) -> None:
    assert report.sentence == sentence


def test_malformed_url_is_no_answer() -> None:
    report = look(["http://[::1/"], LIMITS)
    assert report.sentence == "http://[::1/ did not answer (malformed URL: Invalid IPv6 URL)"
