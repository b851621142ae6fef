"""The resolver against real name servers that answer well, badly, slowly or not at all."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from socket import AF_INET, AF_INET6

import pytest

from monitor.probe.limits import MOST_APART
from monitor.probe.names import (
    RESOLUTION_DELAY_S,
    Lookup,
    Said,
    judge_lookup,
    of_attempts,
    settled_at,
    together,
)
from monitor.probe.resolver import Resolver
from monitor.probe.sockets import Sockets
from monitor.verdicts import Verdict
from tests.monitor.servers import (
    AAAA,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    A,
    Answer,
    Zone,
    closed_port,
    name_server,
)

LIMIT_S = 0.4
MANY = 64  # names: as many as a run asks at once


def look_up(
    names: Sequence[str], *servers: str, limit_s: float = LIMIT_S, apart: int = MOST_APART
) -> tuple[dict[str, Lookup], bool]:
    """All look-ups of ``names``, and whether a name server works."""
    with closing(Sockets()) as sockets, closing(Resolver(sockets, limit_s, servers, apart)) as resolver:
        for name in names:
            resolver.ask(name)
        while len(resolver.finished) < len(names):
            sockets.serve(max(0, resolver.due() - time.monotonic()))
            resolver.tick()
        return {lookup.name: lookup for lookup in resolver.finished}, resolver.server_works


def zone(a: Answer | None, aaaa: Answer | None, root: Answer | None = None) -> Zone:
    return lambda name, kind: {A: a, AAAA: aaaa}.get(kind, root)


V4, V6, EMPTY = Answer(("127.0.0.1",)), Answer(("::1",)), Answer()
CASES: dict[str, tuple[Answer | None, Answer | None, Said, tuple[str, ...]]] = {
    "both": (V4, V6, Said.ADDRESSES, ("::1", "127.0.0.1")),
    "IPv4 alone": (V4, EMPTY, Said.ADDRESSES, ("127.0.0.1",)),
    "IPv6 alone": (EMPTY, V6, Said.ADDRESSES, ("::1",)),
    "AAAA never answered": (V4, None, Said.ADDRESSES, ("127.0.0.1",)),
    "A never answered": (None, V6, Said.ADDRESSES, ("::1",)),
    "AAAA fails": (V4, Answer(code=SERVFAIL), Said.ADDRESSES, ("127.0.0.1",)),
    "AAAA wrongly denied": (V4, Answer(code=NXDOMAIN), Said.ADDRESSES, ("127.0.0.1",)),
    "slow": (Answer(("127.0.0.1",), delay_s=0.1), EMPTY, Said.ADDRESSES, ("127.0.0.1",)),
    "no such name": (Answer(code=NXDOMAIN), Answer(code=NXDOMAIN), Said.NO_SUCH_NAME, ()),
    "no such name, AAAA silent": (Answer(code=NXDOMAIN), None, Said.NO_SUCH_NAME, ()),
    "no address": (EMPTY, EMPTY, Said.NO_ADDRESS, ()),
    "failing": (Answer(code=SERVFAIL), Answer(code=SERVFAIL), Said.SERVER_FAILED, ()),
    "refusing": (Answer(code=REFUSED), Answer(code=REFUSED), Said.REFUSED, ()),
    "silent": (None, None, Said.NOTHING, ()),
    "too slow": (Answer(("127.0.0.1",), delay_s=5), None, Said.NOTHING, ()),
    "malformed": (Answer(malformed=True), Answer(malformed=True), Said.SERVER_FAILED, ()),
    "AAAA malformed": (V4, Answer(malformed=True), Said.ADDRESSES, ("127.0.0.1",)),
    "thousands": (Answer(tuple(f"127.0.0.{i}" for i in range(1, 20))), EMPTY, Said.ADDRESSES, ()),
}


@pytest.mark.parametrize(("a", "aaaa", "said", "addresses"), CASES.values(), ids=CASES)
def test_look_up(a: Answer | None, aaaa: Answer | None, said: Said, addresses: tuple[str, ...]) -> None:
    with name_server(zone(a, aaaa)) as server:
        began = time.monotonic()
        found, _ = look_up(["a.example"], server.address)
    assert time.monotonic() - began < LIMIT_S + 0.5
    assert found["a.example"].said is said
    if addresses:
        assert found["a.example"].addresses == addresses
    assert len(found["a.example"].addresses) <= 8


def test_second_family_is_waited_for_50_ms() -> None:
    with name_server(zone(V4, None)) as server:
        found, _ = look_up(["a.example"], server.address, limit_s=3)
    assert RESOLUTION_DELAY_S * 1000 <= found["a.example"].ms < 500


@pytest.mark.parametrize("delay_s", [0.1, 0.8])
def test_ipv4_addresses_are_waited_for_however_soon_ipv6_ones_come(delay_s: float) -> None:
    with name_server(zone(Answer(("127.0.0.1",), delay_s=delay_s), V6)) as server:
        found, _ = look_up(["a.example"], server.address, limit_s=1)
    assert found["a.example"].addresses == ("::1", "127.0.0.1")


def test_late_second_family_is_taken_within_the_delay() -> None:
    with name_server(zone(V4, Answer(("::1",), delay_s=0.01))) as server:
        found, _ = look_up(["a.example"], server.address)
    assert found["a.example"].addresses == ("::1", "127.0.0.1")


def test_slow_name_holds_no_other_up() -> None:
    def answer(name: str, kind: int) -> Answer | None:
        if name == "slow.example":
            return None
        return V4 if kind == A else EMPTY

    with name_server(answer) as server:
        found, works = look_up(["slow.example", "a.example"], server.address)
    assert found["a.example"].ms < 200
    assert (found["slow.example"].said, works) == (Said.NOTHING, True)


def test_an_answer_that_is_no_message_costs_no_other_name_its_own() -> None:
    def answer(name: str, kind: int) -> Answer | None:
        if name == "bad.example":
            return Answer(malformed=True)
        return Answer(V4.addresses if kind == A else (), delay_s=0.05)  # still awaited when that one comes

    good = [f"good-{number}.example" for number in range(MANY)]
    with name_server(answer) as server:
        found, works = look_up(["bad.example", *good], server.address, limit_s=2)
    assert {found[name].said for name in good} == {Said.ADDRESSES}
    assert (found["bad.example"].said, works) == (Said.SERVER_FAILED, True)


@pytest.mark.parametrize("delay_s", [0.2, 0.5, 0.8])
def test_a_slow_name_is_waited_for_nearly_to_the_limit(delay_s: float) -> None:
    """Behind quick ones: from these c-ares learns to be impatient."""

    def answer(name: str, kind: int) -> Answer | None:
        return Answer(V4.addresses if kind == A else (), delay_s=delay_s if name == "slow.example" else 0)

    quick = [f"quick-{number}.example" for number in range(10)]
    with name_server(answer) as server:
        found, _ = look_up([*quick, "slow.example"], server.address, limit_s=1)
    assert found["slow.example"].said is Said.ADDRESSES


@pytest.mark.parametrize("delay_s", [0.3, 0.9, 1.6])
def test_a_slow_name_server_is_waited_for_by_all_names(delay_s: float) -> None:
    names = [f"{number}.example" for number in range(MANY)]
    slow = zone(Answer(V4.addresses, delay_s=delay_s), Answer(delay_s=delay_s))
    with name_server(slow) as server:
        found, _ = look_up(names, server.address, limit_s=2)
    assert {lookup.said for lookup in found.values()} == {Said.ADDRESSES}


def test_silent_and_malformed_names_cost_good_ones_nothing() -> None:
    def answer(name: str, kind: int) -> Answer | None:
        if name.startswith("silent"):
            return None
        if name.startswith("bad"):
            return Answer(malformed=True)
        return Answer(V4.addresses if kind == A else (), delay_s=0.05)

    names = [f"{word}-{number}.example" for number in range(20) for word in ("silent", "good", "bad")]
    with name_server(answer) as server:
        found, _ = look_up(names, server.address, limit_s=1.5)
    assert {
        word: {lookup.said for name, lookup in found.items() if name.startswith(word)}
        for word in ("silent", "good", "bad")
    } == {"silent": {Said.NOTHING}, "good": {Said.ADDRESSES}, "bad": {Said.SERVER_FAILED}}


def test_where_few_can_have_a_socket_of_their_own_the_others_wait_for_it() -> None:
    names = [f"{number}.example" for number in range(12)]
    slow = zone(Answer(V4.addresses, delay_s=0.25), Answer(delay_s=0.25))
    with name_server(slow) as server:
        found, _ = look_up(names, server.address, limit_s=2.5, apart=8)
    assert {lookup.said for lookup in found.values()} == {Said.ADDRESSES}


def test_a_name_server_that_refuses_for_a_moment_is_asked_again_after_it() -> None:
    began = time.monotonic()

    def answer(_name: str, kind: int) -> Answer | None:
        if time.monotonic() - began < 0.2:
            return Answer(code=REFUSED)
        return V4 if kind == A else EMPTY

    with name_server(answer) as server:
        found, _ = look_up(["a.example"], server.address, limit_s=2)
    assert found["a.example"].said is Said.ADDRESSES


def test_a_question_that_gets_lost_is_asked_again() -> None:
    asked: Counter[int] = Counter()

    def answer(_name: str, kind: int) -> Answer | None:
        asked[kind] += 1
        return None if asked[kind] == 1 else V4 if kind == A else EMPTY

    with name_server(answer) as server:
        found, _ = look_up(["a.example"], server.address)
    assert found["a.example"].addresses == ("127.0.0.1",)


@pytest.mark.parametrize("first", ["silent", "refusing", "failing", "malformed"])
def test_where_the_first_name_server_fails_the_second_is_asked(first: str) -> None:
    names = [f"{number}.example" for number in range(MANY)]
    with name_server(zone(*CASES[first][:2])) as bad, name_server(zone(V4, EMPTY)) as good:
        found, works = look_up(names, bad.address, good.address, limit_s=2)
    assert {lookup.addresses for lookup in found.values()} == {("127.0.0.1",)}
    assert works


@pytest.mark.parametrize("bad", ["255.255.255.255", "refusing", "malformed"])
def test_a_slow_name_server_beside_a_bad_one_is_waited_for(bad: str) -> None:
    slow = zone(Answer(V4.addresses, delay_s=0.6), Answer(delay_s=0.6))
    with name_server(slow) as server, name_server(zone(*CASES.get(bad, CASES["refusing"])[:2])) as other:
        first = bad if bad[0].isdigit() else other.address
        found, _ = look_up(["a.example"], first, server.address, limit_s=1.5)
    assert found["a.example"].said is Said.ADDRESSES


@pytest.mark.parametrize("case", ["IPv4 alone", "failing", "refusing", "silent"])
def test_one_name_server_without_a_way_to_it_is_no_excuse(case: str) -> None:
    a, aaaa, said, _addresses = CASES[case]
    with name_server(zone(a, aaaa, EMPTY)) as server:
        found, works = look_up(["a.example"], "255.255.255.255", server.address)
    assert (found["a.example"].said, works) == (said, True)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(f"127.0.0.1:{closed_port()}", id="not there"),
        pytest.param("255.255.255.255", id="without a way to it"),
    ],
)
def test_a_name_server_that_cannot_be_reached_is_no_sites_fault(server: str) -> None:
    found, works = look_up(["a.example"], server)
    assert judge_lookup(found["a.example"].said, works)[0] is Verdict.INCONCLUSIVE


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
    with ExitStack() as taken:
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with suppress(OSError):
            while True:
                taken.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield


def test_without_a_descriptor_nobody_was_asked() -> None:
    with (
        name_server(lambda _name, kind: V4 if kind == A else EMPTY) as server,
        closing(Sockets()) as sockets,
        closing(Resolver(sockets, LIMIT_S, [server.address])) as resolver,
    ):
        resolver.ask("a.example")
        finish(resolver, sockets)
        with no_descriptor_left():
            resolver.ask("b.example")
            finish(resolver, sockets)
    assert [lookup.said for lookup in resolver.finished] == [Said.ADDRESSES, Said.UNASKED]


def test_silence_is_no_answer_where_there_is_no_descriptor_to_ask_apart() -> None:
    with (
        name_server(lambda name, _kind: None if name else EMPTY) as server,
        closing(Sockets()) as sockets,
        closing(Resolver(sockets, LIMIT_S, [server.address])) as resolver,
    ):
        resolver.ask("a.example")
        while not resolver.server_works:  # all has been sent, and one answer has come
            sockets.serve(0.01)
            resolver.tick()
        with no_descriptor_left():
            finish(resolver, sockets)
    assert [lookup.said for lookup in resolver.finished] == [Said.UNASKED]


def finish(resolver: Resolver, sockets: Sockets) -> None:
    while resolver.in_flight:
        sockets.serve(max(0, resolver.due() - time.monotonic()))
        resolver.tick()


@pytest.mark.parametrize("name", ["a.invalid", "invalid"])
def test_invalid_is_never_asked(name: str) -> None:
    with name_server(zone(V4, V6)) as server:
        found, _ = look_up([name], server.address)
    assert found[name].said is Said.NO_SUCH_NAME
    assert server.questions == []


def test_localhost_needs_no_name_server_and_proves_none() -> None:
    with name_server(zone(None, None)) as server:
        found, works = look_up(["localhost"], server.address)
    assert found["localhost"].said is Said.ADDRESSES
    assert "127.0.0.1" in found["localhost"].addresses
    assert not works


@pytest.mark.parametrize(
    ("root", "works"),
    [
        pytest.param(EMPTY, True, id="answered"),
        pytest.param(Answer(code=SERVFAIL), False, id="failed"),
        pytest.param(None, False, id="silent"),
    ],
)
def test_question_about_the_root_proves_a_name_server(root: Answer | None, works: bool) -> None:
    with name_server(zone(None, None, root)) as server:
        assert look_up(["dead.example"], server.address)[1] is works


# --- The rules -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], Said.NOTHING, id="none"),
        pytest.param([Said.UNASKED, Said.UNASKED], Said.UNASKED, id="no server could be asked"),
        pytest.param(
            [Said.UNASKED, Said.NOTHING], Said.NOTHING, id="one is silent, the other cannot be asked"
        ),
        pytest.param([Said.UNASKED, Said.SERVER_FAILED], Said.SERVER_FAILED, id="one fails"),
        pytest.param([Said.NOTHING, Said.REFUSED], Said.REFUSED, id="one refuses, the other is silent"),
    ],
)
def test_attempts_at_one_question(said: list[Said], expected: Said) -> None:
    assert of_attempts(said) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], Said.NOTHING, id="none"),
        pytest.param([Said.NO_ADDRESS], Said.NOTHING, id="the other may have one"),
        pytest.param([Said.NO_ADDRESS, Said.UNASKED], Said.UNASKED, id="the other was not asked for"),
        pytest.param([Said.NO_ADDRESS, Said.NO_ADDRESS], Said.NO_ADDRESS, id="in neither"),
        pytest.param([Said.NO_SUCH_NAME], Said.NO_SUCH_NAME, id="denied once"),
        pytest.param([Said.SERVER_FAILED, Said.NO_ADDRESS], Said.SERVER_FAILED, id="failed in one"),
        pytest.param([Said.SERVER_FAILED, Said.ADDRESSES], Said.ADDRESSES, id="one is enough"),
    ],
)
def test_both_families_together(said: list[Said], expected: Said) -> None:
    assert together(said) is expected


@pytest.mark.parametrize(
    ("said", "at"),
    [
        pytest.param({}, 13.0, id="nothing yet"),
        pytest.param({AF_INET: Said.NO_SUCH_NAME}, 13.0, id="denied in one"),
        pytest.param({AF_INET: Said.ADDRESSES}, 10.05, id="IPv4 addresses"),
        pytest.param({AF_INET6: Said.ADDRESSES}, 13.0, id="IPv6 addresses"),
        pytest.param({AF_INET: Said.NO_ADDRESS, AF_INET6: Said.NO_ADDRESS}, 10.0, id="both"),
    ],
)
def test_look_up_is_settled(said: dict[int, Said], at: float) -> None:
    assert settled_at(said, now=10, deadline=13) == pytest.approx(at)


def test_second_family_is_not_waited_for_beyond_the_limit() -> None:
    assert settled_at({AF_INET: Said.ADDRESSES}, now=10, deadline=10.01) == 10.01


@pytest.mark.parametrize(
    ("said", "server_works", "verdict", "words"),
    [
        (Said.NO_SUCH_NAME, True, Verdict.DOWN, "name not found"),
        (Said.NO_SUCH_NAME, False, Verdict.DOWN, "name not found"),
        (Said.NO_ADDRESS, True, Verdict.DOWN, "name not found"),
        (Said.SERVER_FAILED, True, Verdict.DOWN, "name server failed for this name"),
        (Said.SERVER_FAILED, False, Verdict.INCONCLUSIVE, "our name server fails at every question"),
        (Said.REFUSED, True, Verdict.DOWN, "name server refuses to look up this name"),
        (Said.REFUSED, False, Verdict.INCONCLUSIVE, "our name server refuses every question"),
        (Said.UNASKED, True, Verdict.INCONCLUSIVE, "our name server could not be asked"),
        (Said.UNASKED, False, Verdict.INCONCLUSIVE, "our name server could not be asked"),
        (Said.NOTHING, True, Verdict.DOWN, "name look-up timed out"),
        (Said.NOTHING, False, Verdict.INCONCLUSIVE, "our name server does not answer"),
    ],
)
def test_whose_fault_a_look_up_is(said: Said, server_works: bool, verdict: Verdict, words: str) -> None:
    assert judge_lookup(said, server_works) == (verdict, words)
