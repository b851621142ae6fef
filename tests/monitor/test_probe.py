"""The engine against real servers: what each fault is called, whose it is, and that every limit holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from monitor.probe import Limits, probe_all
from monitor.verdicts import ProbeResult, Target, Verdict
from tests.monitor.servers import (
    NXDOMAIN,
    SERVFAIL,
    A,
    Answer,
    Behaviour,
    Crowd,
    NameServer,
    TcpServer,
    answers,
    by_verb,
    closed_port,
    drips,
    name_server,
    repeats,
    resets,
    says_and_waits,
    status,
    tcp_server,
)

LIMITS = Limits(timeout_s=0.3, lookup_timeout_s=0.2)
OK = b"HTTP/1.1 200 OK\r\n"
CLOSED = "connection closed before the headers ended"
SILENT = "no headers within 0.3 s"


def target(url: str, key: int = 0, *, get_fallback: bool = False) -> Target:
    return Target(key, url, frozenset({200, 301}), get_fallback)


def probe(url: str, limits: Limits = LIMITS, *, get_fallback: bool = False) -> ProbeResult:
    (result,) = probe_all([target(url, get_fallback=get_fallback)], limits)
    return result


@pytest.fixture
def ok_server() -> Iterator[TcpServer]:
    with tcp_server(status("200 OK")) as server:
        yield server


def local_zone(name: str, kind: int) -> Answer | None:
    """Names that begin with ``silent``, ``failing`` or ``unknown`` behave so; all others are this machine."""
    if name.startswith("silent"):
        return None
    if name.startswith(("failing", "unknown")):
        return Answer(code=SERVFAIL if name.startswith("failing") else NXDOMAIN)
    return Answer(("127.0.0.1",) if kind == A else ())


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server(local_zone) as server:
        yield server


# --- Answers, good and bad -----------------------------------------------------------------------
ANSWERED: dict[str, tuple[Behaviour, Verdict, int, str]] = {
    "good": (status("200 OK"), Verdict.UP, 200, "HTTP 200 OK"),
    "redirect": (
        answers(b"HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.1/\r\n\r\n"),
        Verdict.UP,
        301,
        "HTTP 301 Moved Permanently",
    ),
    "error": (status("503 Busy"), Verdict.DOWN, 503, "HTTP 503 Service Unavailable"),
    "no status code": (status("999 Denied"), Verdict.DOWN, 999, "HTTP 999, which is no status code"),
    "HTTP/1.0": (answers(b"HTTP/1.0 200\r\n\r\n"), Verdict.UP, 200, "HTTP 200 OK"),
    "bare line feeds": (answers(b"HTTP/1.1 200 OK\n\n"), Verdict.UP, 200, "HTTP 200 OK"),
    "hints first": (
        answers(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\n"),
        Verdict.UP,
        200,
        "HTTP 200 OK",
    ),
    "HEAD with a body": (
        says_and_waits(OK + b"Content-Length: 10\r\n\r\n01234"),
        Verdict.UP,
        200,
        "HTTP 200 OK",
    ),
    "HEAD in chunks": (
        says_and_waits(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n"),
        Verdict.UP,
        200,
        "HTTP 200 OK",
    ),
}


@pytest.mark.parametrize(("behaviour", "verdict", "code", "reason"), ANSWERED.values(), ids=ANSWERED)
def test_answer(behaviour: Behaviour, verdict: Verdict, code: int, reason: str) -> None:
    with tcp_server(behaviour) as server:
        result = probe(server.url())
    assert (result.verdict, result.code, result.reason, result.verb) == (verdict, code, reason, "HEAD")


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "closes at once": (answers(b""), CLOSED),
    "closes in the status line": (answers(b"HTTP/1.1 20"), CLOSED),
    "closes in a header": (answers(OK + b"Foo: b"), CLOSED),
    "closes after a header": (answers(OK + b"Foo: bar\r\n"), CLOSED),
    "closes after 100 Continue": (answers(b"HTTP/1.1 100 Continue\r\n\r\n"), CLOSED),
    "resets": (resets, "connection reset"),
    "says nothing": (says_and_waits(b""), SILENT),
    "stops within the headers": (says_and_waits(OK + b"Foo: bar\r\n"), SILENT),
    "stops after 100 Continue": (says_and_waits(b"HTTP/1.1 100 Continue\r\n\r\n"), SILENT),
    "switches protocols": (says_and_waits(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), SILENT),
    "drips": (drips(OK + b"Content-Length: 0\r\n\r\n", 0.05), SILENT),
    "10 MB in one header": (answers(OK + b"X: " + b"a" * 10_000_000 + b"\r\n\r\n"), "headers too large"),
    "10 MB of headers": (answers(OK + b"X: aaaaaaaaaaaaaaa\r\n" * 500_000 + b"\r\n"), "headers too large"),
    "100 Continue for ever": (repeats(b"HTTP/1.1 100 Continue\r\n\r\n"), "headers too large"),
    "HTTP/0.9": (answers(b"<html>hello</html>"), "not an HTTP answer"),
    "SSH": (says_and_waits(b"SSH-2.0-OpenSSH_9.2\r\n"), "not an HTTP answer"),
    "random bytes": (answers(bytes(range(256)) * 100), "not an HTTP answer"),
    "NUL in a header": (answers(OK + b"A: \0\r\n\r\n"), "not an HTTP answer"),
    "no colon": (answers(OK + b"no colon\r\n\r\n"), "not an HTTP answer"),
    "code 000": (status("000 Nothing"), "not an HTTP answer"),
}


@pytest.mark.parametrize(("behaviour", "reason"), FAULTS.values(), ids=FAULTS)
def test_fault_of_a_server(behaviour: Behaviour, reason: str) -> None:
    began = time.monotonic()
    with tcp_server(behaviour) as server:
        result = probe(server.url())
        assert time.monotonic() - began < LIMITS.timeout_s + 0.5
    assert (result.verdict, result.code, result.reason) == (Verdict.DOWN, None, reason)


def test_nobody_listens() -> None:
    result = probe(f"http://127.0.0.1:{closed_port()}/")
    assert (result.verdict, result.reason) == (Verdict.DOWN, "connection refused")
    assert (result.connect_ms, result.wait_ms) == (None, None)


def test_malformed_url_is_down() -> None:
    result = probe("http://me:secret@a.example/")
    assert (result.verdict, result.code) == (Verdict.DOWN, None)
    assert result.reason == "malformed URL: it has a user name or password"


# --- What is sent --------------------------------------------------------------------------------
def test_request_names_djamon_and_keeps_the_path(ok_server: TcpServer) -> None:
    probe(ok_server.url(path="/a/../ü?q=1#part"))
    lines = ok_server.heads[0].decode().split("\r\n")
    assert lines[0] == "HEAD /a/../%C3%BC?q=1 HTTP/1.1"
    assert lines[2].startswith("User-Agent: Djamon/")
    assert lines[2].endswith(" (+uptime probe)")
    assert lines[3] == "Accept: */*"


def test_proxies_of_the_environment_are_not_used(
    ok_server: TcpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    assert probe(ok_server.url()).verdict is Verdict.UP


def test_each_probe_makes_its_own_connection(ok_server: TcpServer) -> None:
    probe_all([target(ok_server.url(), key) for key in range(3)], Limits(0.3, concurrency=1))
    assert len(ok_server.heads) == 3


# --- GET where HEAD is refused -------------------------------------------------------------------
ENDLESS = says_and_waits(OK + b"Content-Length: 1000000000\r\n\r\nabc")


@pytest.mark.parametrize("refusal", ["405 No", "501 No"])
def test_get_is_asked_after_a_refused_head(refusal: str) -> None:
    with tcp_server(by_verb({"HEAD": status(refusal), "GET": ENDLESS})) as server:
        result = probe(server.url(), get_fallback=True)
    assert (result.verdict, result.code, result.verb) == (Verdict.UP, 200, "GET")
    assert [head.split()[0] for head in server.heads] == [b"HEAD", b"GET"]


@pytest.mark.parametrize(
    ("head", "fallback"),
    [
        pytest.param("405 No", False, id="not wanted"),
        pytest.param("404 No", True, id="no refusal of HEAD"),
    ],
)
def test_get_is_not_asked(head: str, fallback: bool) -> None:
    with tcp_server(by_verb({"HEAD": status(head)})) as server:
        result = probe(server.url(), get_fallback=fallback)
    assert (result.verdict, result.code, result.verb) == (Verdict.DOWN, int(head[:3]), "HEAD")


def test_both_requests_share_one_time_limit() -> None:
    slow_refusal = drips(b"HTTP/1.1 405 No\r\n\r\n", 0.01)  # about 0.2 s
    with tcp_server(by_verb({"HEAD": slow_refusal, "GET": says_and_waits(b"")})) as server:
        began = time.monotonic()
        result = probe(server.url(), Limits(timeout_s=0.5), get_fallback=True)
    assert time.monotonic() - began < 0.5 + 0.2
    assert (result.verdict, result.reason, result.verb) == (Verdict.DOWN, "no headers within 0.5 s", "GET")
    assert result.total_ms < 450  # the GET request's own


# --- Names ---------------------------------------------------------------------------------------
def test_name_is_looked_up_once_for_all_its_sites(ok_server: TcpServer, names: NameServer) -> None:
    urls = [ok_server.url("a.example", f"/{i}") for i in range(5)]
    limits = Limits(0.5, 0.2, name_servers=(names.address,))
    results = probe_all([target(url, key) for key, url in enumerate(urls)], limits)
    assert {result.verdict for result in results} == {Verdict.UP}
    assert sorted(names.questions) == [("", 2), ("a.example", 1), ("a.example", 28)]
    assert len({result.lookup_ms for result in results}) == 1


def test_stored_times_add_up(ok_server: TcpServer, names: NameServer) -> None:
    before = datetime.now(UTC)
    result = probe(ok_server.url("a.example"), Limits(0.5, 0.2, name_servers=(names.address,)))
    assert before - timedelta(milliseconds=1) <= result.asked_at <= datetime.now(UTC)
    assert result.lookup_ms
    assert result.connect_ms
    assert result.wait_ms
    assert result.tls_ms is None
    phases = result.lookup_ms + result.connect_ms + result.wait_ms
    assert phases == pytest.approx(result.total_ms, abs=1)
    assert result.total_ms < 500


NAME_FAULTS = {
    "unknown": ("unknown.example", Verdict.DOWN, "name not found"),
    "failing": ("failing.example", Verdict.DOWN, "name server failed for this name"),
    "silent": ("silent.example", Verdict.DOWN, "name look-up timed out"),
    "invalid": ("a.invalid", Verdict.DOWN, "name not found"),
}


@pytest.mark.parametrize(("host", "verdict", "reason"), NAME_FAULTS.values(), ids=NAME_FAULTS)
def test_name_without_address(host: str, verdict: Verdict, reason: str, names: NameServer) -> None:
    limits = Limits(0.3, 0.2, name_servers=(names.address,))
    result = probe(f"http://{host}/", limits)
    assert (result.verdict, result.code, result.reason) == (verdict, None, reason)
    assert result.total_ms == result.lookup_ms


def test_dead_name_server_is_our_fault() -> None:
    with name_server(lambda name, kind: None) as server:
        limits = Limits(0.3, 0.2, name_servers=(server.address,))
        began = time.monotonic()
        results = probe_all([target(f"http://{i}x.example/", i) for i in range(5)], limits)
    assert time.monotonic() - began < 0.2 + 0.5
    assert {(r.verdict, r.reason) for r in results} == {
        (Verdict.INCONCLUSIVE, "our name server does not answer")
    }


def test_slow_name_delays_no_other_site(ok_server: TcpServer, names: NameServer) -> None:
    limits = Limits(5, 0.4, name_servers=(names.address,))
    urls = ["http://silent.example/", ok_server.url("a.example"), ok_server.url()]
    results = probe_all([target(url, key) for key, url in enumerate(urls)], limits)
    assert [result.key for result in results][-1] == 0
    assert all(result.total_ms < 200 for result in results[:-1])


def test_look_up_counts_against_the_time_limit() -> None:
    def slow(name: str, kind: int) -> Answer | None:
        return Answer(("127.0.0.1",) if kind == A else (), delay_s=0.2)

    with name_server(slow) as name_service, tcp_server(says_and_waits(b"")) as server:
        began = time.monotonic()
        result = probe(server.url("a.example"), Limits(0.4, 0.3, name_servers=(name_service.address,)))
    assert time.monotonic() - began < 0.4 + 0.2
    assert result.reason == "no headers within 0.4 s"
    assert result.total_ms == pytest.approx(400, abs=100)


def test_localhost_is_this_machine(ok_server: TcpServer, names: NameServer) -> None:
    limits = Limits(0.5, 0.2, name_servers=(names.address,))
    assert probe(ok_server.url("localhost"), limits).verdict is Verdict.UP


# --- Both families -------------------------------------------------------------------------------
def test_ipv6_address() -> None:
    with tcp_server(status("200 OK"), host="::1") as server:
        assert probe(server.url("[::1]")).verdict is Verdict.UP


@pytest.mark.parametrize("listening", ["127.0.0.1", "::1"])
def test_site_that_lives_in_one_family_only(listening: str) -> None:
    def both(name: str, kind: int) -> Answer:
        return Answer(("127.0.0.1" if kind == A else "::1",))

    with name_server(both) as name_service, tcp_server(status("200 OK"), host=listening) as server:
        result = probe(server.url("a.example"), Limits(0.5, 0.2, name_servers=(name_service.address,)))
    assert result.verdict is Verdict.UP


# --- Many at once --------------------------------------------------------------------------------
def test_exactly_one_result_for_each_target(ok_server: TcpServer, names: NameServer) -> None:
    urls = [ok_server.url(), "http://a b/", f"http://127.0.0.1:{closed_port()}/", "http://unknown.example/"]
    targets = [target(url, key % 30) for key, url in enumerate(urls * 15)]
    told: list[ProbeResult] = []
    results = probe_all(targets, Limits(0.5, 0.2, name_servers=(names.address,)), told.append)
    assert told == results
    assert sorted(r.key for r in results) == sorted(t.key for t in targets)


def test_no_targets_no_results() -> None:
    assert probe_all([], LIMITS) == []


def test_what_on_result_raises_ends_the_run(ok_server: TcpServer) -> None:
    class LostError(Exception):
        pass

    def lose(result: ProbeResult) -> None:
        raise LostError

    with pytest.raises(LostError):
        probe_all([target(ok_server.url(), key) for key in range(20)], LIMITS, lose)


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        pytest.param(Limits(2, concurrency=3, per_host=8), 3, id="in all"),
        pytest.param(Limits(2, concurrency=50, per_host=2), 2, id="per host"),
    ],
)
def test_requests_in_flight_are_bounded(limits: Limits, most: int) -> None:
    crowd = Crowd(0.05)
    with tcp_server(crowd) as server:
        results = probe_all([target(server.url(), key) for key in range(12)], limits)
    assert crowd.most == most
    assert {result.verdict for result in results} == {Verdict.UP}


def test_waiting_for_a_place_counts_in_no_time() -> None:
    with tcp_server(Crowd(0.1)) as server:
        results = probe_all([target(server.url(), key) for key in range(6)], Limits(0.4, per_host=1))
    assert {result.verdict for result in results} == {Verdict.UP}
    assert max(result.total_ms for result in results) < 400
    starts = sorted(result.asked_at for result in results)
    assert starts[-1] - starts[0] > timedelta(seconds=0.4)


def test_silent_sites_delay_no_other(ok_server: TcpServer) -> None:
    with tcp_server(says_and_waits(b"")) as silent:
        urls = [silent.url()] * 8 + [ok_server.url()]
        began = time.monotonic()
        results = probe_all([target(u, k) for k, u in enumerate(urls)], Limits(0.3, per_host=20))
    assert time.monotonic() - began < 0.3 + 0.5
    assert results[0].key == 8
