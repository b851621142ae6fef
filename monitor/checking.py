"""Check now: one site asked once by the engine of the runs, told step by step. Nothing of it is stored.

The site and the sandbox's URLs are asked in one go, so that a check takes no longer than a site may in a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from monitor.models import Site
from monitor.probe import Limits, Trace, probe_all
from monitor.probe.certificates import Certificate
from monitor.probe.names import Lookup, Said
from monitor.probe.trace import Exchange
from monitor.probe.urls import Malformed, Place, take_apart
from monitor.sandbox import has_answered
from monitor.strikes import Event, Standing, judge
from monitor.sweep import probe_limits
from monitor.validators import parse_good_codes
from monitor.verdicts import ProbeResult, Target, Verdict

How = Literal["ok", "failed", "not reached", "not needed"]

AT_ONCE = 4
NAMES_SHOWN = 20
SAID = {
    Said.NO_SUCH_NAME: "the name server knows no such name",
    Said.NO_ADDRESS: "the name exists, but has no address",
    Said.SERVER_FAILED: "the name server failed",
    Said.REFUSED: "the name server refused to answer",
    Said.NOTHING: "no answer",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the way; ``lines`` say what was seen, ``code`` is what went over the wire."""

    name: str
    how: How
    lines: tuple[str, ...] = ()
    ms: float | None = None
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """``verdict`` is up, down or inconclusive; ``rule`` says in sentences why, and what a run makes of it."""

    steps: tuple[Step, ...]
    verdict: str
    rule: str
    result: ProbeResult


# --- Who may check -------------------------------------------------------------------------------
class Places:
    """At most ``AT_ONCE`` checks at a time in this process, and one of each person."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._people: set[int] = set()

    @contextmanager
    def take(self, person: int) -> Iterator[str]:
        """Gives why there is no place, or nothing: then it is held until the end of the block."""
        refusal = self._enter(person)
        try:
            yield refusal
        finally:
            if not refusal:
                with self._lock:
                    self._people.discard(person)

    def _enter(self, person: int) -> str:
        with self._lock:
            if person in self._people:
                return "Your last check has not ended yet. Wait for it, then check again."
            if len(self._people) >= AT_ONCE:
                return f"{AT_ONCE} checks are under way already. Try again in some seconds."
            self._people.add(person)
            return ""


places = Places()


# --- The check -----------------------------------------------------------------------------------
def check(site: Site, limits: Limits | None = None) -> Check:
    """Ask the site now, whether it is paused or not."""
    limits = limits or probe_limits()
    codes = parse_good_codes(site.good_codes) or settings.GOOD_CODES
    target = Target(0, site.url, codes, site.get_fallback, read_certificate=True)
    sandbox = [Target(number, url, codes) for number, url in enumerate(settings.SANDBOX_URLS, start=1)]
    trace = Trace()
    results = {result.key: result for result in probe_all([target, *sandbox], limits, traces={0: trace})}
    connection = _connection_step(sandbox, results)
    online = connection.how != "failed"
    result = results[0]
    steps = (connection, *_steps(take_apart(site.url), trace, result))
    standing = Standing(site.failures, site.state == Site.State.DOWN)
    rule = " ".join((_verdict_rule(result, target), _strike_rule(standing, result.verdict, online=online)))
    return Check(steps, result.verdict.name.lower(), rule, result)


def _connection_step(sandbox: Sequence[Target], results: dict[int, ProbeResult]) -> Step:
    name = "Our own connection"
    if not sandbox:
        return Step(name, "not needed", ("SANDBOX_URLS is empty: the look at it is switched off.",))
    answers = [results[target.key] for target in sandbox]
    lines = [f"{target.url}: {results[target.key].reason}" for target in sandbox]
    answered = [answer.total_ms for answer in answers if has_answered(answer)]
    if not answered:
        return Step(name, "failed", tuple(lines), max(answer.total_ms for answer in answers))
    return Step(name, "ok", tuple(lines), min(answered))


def _steps(place: Place | Malformed, trace: Trace, result: ProbeResult) -> Iterator[Step]:
    if isinstance(place, Malformed):
        yield Step("URL", "failed", (place.reason,))
    else:
        yield Step("URL", "ok", (f"Asked is {place.url}",))
    yield _lookup_step(place, trace.lookup)
    asked = [
        exchange for exchange in trace.exchanges if not (exchange.outcome and exchange.outcome.request.peek)
    ]
    peeked = [exchange for exchange in trace.exchanges if exchange not in asked]
    seen = next((peek.outcome.certificate for peek in peeked if peek.outcome), None)
    for number, exchange in enumerate(asked or [Exchange()]):
        suffix = ", again with GET" if number else ""
        yield _connect_step(exchange, result, suffix)
        yield _tls_step(place, exchange, seen, result, suffix)
        yield _request_step(exchange, suffix)
        yield _answer_step(exchange, result, suffix)


def _lookup_step(place: Place | Malformed, lookup: Lookup | None) -> Step:
    name = "Name look-up"
    if isinstance(place, Place) and place.literal:
        return Step(name, "not needed", ("The URL carries an address.",))
    if lookup is None:
        return Step(name, "not reached")
    if lookup.said is not Said.ADDRESSES:
        return Step(name, "failed", (f"{lookup.name}: {SAID[lookup.said]}",), lookup.ms)
    lines = (f"{'IPv6' if ':' in address else 'IPv4'} {address}" for address in lookup.addresses)
    return Step(name, "ok", tuple(lines), lookup.ms)


def _connect_step(exchange: Exchange, result: ProbeResult, suffix: str) -> Step:
    name, account, outcome = f"Connection{suffix}", exchange.account, exchange.outcome
    if outcome is None:
        return Step(name, "not reached")
    if outcome.phases.connect_ms is None:
        tried = _in_vain(account.tried)
        return Step(name, "failed", (*tried, result.reason), outcome.phases.total_ms)
    others = [to for to in account.tried if to.rpartition(":")[0].strip("[]") != account.address]
    used = f"Connected to {account.address}"
    return Step(name, "ok", (*_in_vain(others), used), outcome.phases.connect_ms)


def _in_vain(addresses: Iterable[str]) -> list[str]:
    return [f"Tried {address} without success" for address in addresses]


def _tls_step(
    place: Place | Malformed, exchange: Exchange, seen: Certificate | None, result: ProbeResult, suffix: str
) -> Step:
    name, account, outcome = f"TLS{suffix}", exchange.account, exchange.outcome
    if isinstance(place, Place) and not place.https:
        return Step(name, "not needed", ("The URL begins with http://.",))
    if outcome is None or outcome.phases.connect_ms is None:
        return Step(name, "not reached")
    lines = [f"{account.tls_version}, {account.cipher}"] if account.tls_version else []
    if certificate := outcome.certificate or seen:
        lines += _certificate_lines(certificate)
    if outcome.phases.tls_ms is None:
        return Step(
            name, "failed", (result.reason, *lines), outcome.phases.total_ms - outcome.phases.connect_ms
        )
    return Step(name, "ok", tuple(lines), outcome.phases.tls_ms)


def _certificate_lines(certificate: Certificate) -> list[str]:
    more = len(certificate.names) - NAMES_SHOWN
    names = ", ".join(certificate.names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return [
        f"Certificate for {names or 'no host'}",
        f"Valid from {certificate.not_before:%Y-%m-%d %H:%M} to {certificate.not_after:%Y-%m-%d %H:%M} UTC",
        f"Issued by {certificate.issuer or 'nobody it names'}",
    ]


def _request_step(exchange: Exchange, suffix: str) -> Step:
    if not exchange.account.sent:
        return Step(f"Request{suffix}", "not reached")
    return Step(f"Request{suffix}", "ok", code=tuple(exchange.account.sent))


def _answer_step(exchange: Exchange, result: ProbeResult, suffix: str) -> Step:
    name, account, outcome = f"Answer{suffix}", exchange.account, exchange.outcome
    if outcome is None or not account.sent:
        return Step(name, "not reached")
    more = (f"{account.left_out:,} more lines are not shown.",) if account.left_out else ()
    if outcome.code is None:
        return Step(name, "failed", (result.reason, *more), outcome.phases.wait_ms, tuple(account.received))
    return Step(name, "ok", more, outcome.phases.wait_ms, tuple(account.received))


# --- What it means -------------------------------------------------------------------------------
def _verdict_rule(result: ProbeResult, target: Target) -> str:
    if result.code is None:
        if result.verdict is Verdict.INCONCLUSIVE:
            return f"This is a fault of our own and says nothing of the site: {result.reason}."
        return f"No answer came ({result.reason}), which counts as down."
    codes = ", ".join(map(str, sorted(target.good_codes)))
    if result.verdict is Verdict.UP:
        return f"{result.code} is among {codes}, which counts as up."
    return f"{result.code} is not among {codes}, which counts as down."


def _strike_rule(standing: Standing, verdict: Verdict, *, online: bool) -> str:
    """What a run would make of this answer."""
    if not online:
        return "But our own connection is in doubt: a run would ask no site now, and count nothing."
    if verdict is Verdict.INCONCLUSIVE:
        return "A run would leave the site's state as it is."
    after, event = judge(standing, verdict, settings.STRIKES)
    if verdict is Verdict.UP:
        back = event is Event.CAME_BACK
        clears = (
            "In a run it would clear its failures." if standing.failures else "A run would count it as up."
        )
        return "In a run it would end the site's part in the outage." if back else clears
    if standing.down:
        return "The site is in an outage already, and would stay in it."
    ordinal = f"In a run it would be failure {after.failures} in a row"
    if event is Event.FELL:
        return f"{ordinal} and open an outage, or join an open one."
    return f"{ordinal}; failure {settings.STRIKES} opens an outage."
