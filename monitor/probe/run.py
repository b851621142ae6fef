"""One run of the engine: the way of every target through it, from its URL to its result.

A site is looked up, waits for a place, is asked, perhaps asked again with GET, and its certificate read where
that was refused.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.probe.certificates import Certificate
from monitor.probe.limits import Limits, within_descriptors
from monitor.probe.names import Lookup, Said, judge_lookup
from monitor.probe.queue import HostQueue
from monitor.probe.reasons import Failure, needs_certificate, refuses_certificate
from monitor.probe.resolver import Resolver
from monitor.probe.results import judge_outcome, never_asked, of_outcome, our_fault
from monitor.probe.sockets import Sockets
from monitor.probe.trace import Exchange, Trace
from monitor.probe.transfers import Outcome, Request, Transfers
from monitor.probe.urls import Malformed, Place, take_apart
from monitor.verdicts import ProbeResult, Target, Verdict

log = logging.getLogger(__name__)

# Names asked at once, in two families each: a forwarder like dnsmasq takes 150 questions and refuses others.
LOOKUPS = 64
GET_AFTER = {405, 501}  # what a server says that does not do HEAD
CERTIFICATE_S = 2.0  # the most that reading a refused certificate may take
START_ANYWAY_S = 0.05  # start at least so often, even if some server keeps us busy without a pause
CORE_KEPT_S = 0.0003  # how long we may keep a core to ourselves while sites are being asked
LONGEST_WAIT_S = 1.0
UNSURE = (Said.NOTHING, Said.REFUSED, Said.SERVER_FAILED)  # a site's fault only if our name server works


@dataclass(eq=False, slots=True)
class Job:
    """One target on its way: looked up, waiting for a place, asked, perhaps asked again."""

    number: int
    target: Target
    place: Place
    left_s: float
    asked_at: datetime
    lookup: Lookup | None = None
    refused: Outcome | None = None  # for its certificate, which is being read
    trace: Trace | None = None

    @property
    def host(self) -> str:
        return self.place.host

    @property
    def lookup_ms(self) -> float | None:
        return self.lookup.ms if self.lookup else None


class Run:
    def __init__(
        self,
        pending: dict[int, Target],
        limits: Limits,
        sockets: Sockets,
        transfers: Transfers,
        resolver: Resolver,
    ) -> None:
        self._pending = pending
        self._limits = limits
        self._sockets = sockets
        self._transfers = transfers
        self._resolver = resolver
        self._traces: Mapping[int, Trace] = {}
        self._concurrency = within_descriptors(limits.concurrency)
        self._done: list[tuple[int, ProbeResult]] = []
        self._queue: HostQueue[Job] = HostQueue(limits.per_host)
        self._names: deque[str] = deque()
        self._named: dict[str, list[Job]] = {}
        self._running: dict[int, Job] = {}
        self._unsure: list[Job] = []  # whose look-up can only be judged when the run is over
        self._last_start = 0.0
        self._last_yield = 0.0

    def results(self, traces: Mapping[int, Trace]) -> Iterator[ProbeResult]:
        """``traces`` are by the keys of targets: most have none."""
        self._traces = traces
        for number, target in self._pending.items():
            self._admit(number, target)
        yield from self._hand_over()
        while len(self._pending) > len(self._unsure):
            self._turn()
            if self._done:
                yield from self._hand_over()
        for job in self._unsure:
            self._judge_lookup(job)
        yield from self._hand_over()

    def _hand_over(self) -> Iterator[ProbeResult]:
        done, self._done = self._done, []
        for number, result in done:
            del self._pending[number]
            yield result

    # --- One turn of the loop --------------------------------------------------------------------
    def _turn(self) -> None:
        """Serve what is ready, and start something new only when nothing was.

        A site that has answered never waits behind our own starts: so the stored time is the site's.
        """
        now = time.monotonic()
        may_start = self._may_ask() or self._may_look_up()
        served = self._sockets.serve(0.0 if may_start else self._patience_s(now))
        self._transfers.tick()
        self._resolver.tick()
        if may_start and (not served or now - self._last_start > START_ANYWAY_S):
            self._let_others_run(now)
            self._last_start = now
            self._start_next()
        while self._transfers.finished or self._resolver.finished:  # what follows may end at once, too
            self._take_finished()

    def _patience_s(self, now: float) -> float:
        due = min(self._transfers.due(), self._resolver.due(), now + LONGEST_WAIT_S)
        return max(0.0, due - now)

    def _let_others_run(self, now: float) -> None:
        """Without it a server that shares our core waits for the scheduler's next tick, up to 4 ms, and the
        stored times with it. Where nobody waits for the core, it costs a system call.
        """
        if self._transfers.in_flight and now - self._last_yield > CORE_KEPT_S:
            os.sched_yield()
            self._last_yield = now

    def _may_ask(self) -> bool:
        return self._queue.may_start and self._transfers.in_flight < self._concurrency

    def _may_look_up(self) -> bool:
        return bool(self._names) and self._resolver.in_flight < LOOKUPS

    def _start_next(self) -> None:
        if self._may_look_up():
            self._resolver.ask(self._names.popleft())
        if self._may_ask() and (job := self._queue.take()) is not None:
            self._running[job.number] = job
            job.asked_at = datetime.now(UTC) - timedelta(milliseconds=job.lookup_ms or 0)
            self._request(job, "HEAD")

    def _take_finished(self) -> None:
        outcomes, self._transfers.finished = self._transfers.finished, []
        for outcome in outcomes:
            self._on_outcome(self._running[outcome.request.tag], outcome)
        lookups, self._resolver.finished = self._resolver.finished, []
        for lookup in lookups:
            self._on_lookup(lookup)

    # --- A job's way -----------------------------------------------------------------------------
    def _admit(self, number: int, target: Target) -> None:
        now = datetime.now(UTC)
        place = take_apart(target.url)
        if isinstance(place, Malformed):
            self._done.append((number, never_asked(target, now, Verdict.DOWN, place.reason)))
            return
        job = Job(number, target, place, self._limits.timeout_s, now, trace=self._traces.get(target.key))
        if place.literal:
            self._queue.put(job)
            return
        if place.host not in self._named:
            self._named[place.host] = []
            self._names.append(place.host)
        self._named[place.host].append(job)

    def _on_lookup(self, lookup: Lookup) -> None:
        for job in self._named.pop(lookup.name):
            job.lookup = lookup
            if job.trace is not None:
                job.trace.lookup = lookup
            job.left_s -= lookup.ms / 1000
            job.asked_at = datetime.now(UTC) - timedelta(milliseconds=lookup.ms)
            if lookup.said is Said.ADDRESSES:
                self._queue.put(job)
            elif lookup.said in UNSURE:
                self._unsure.append(job)
            else:
                self._judge_lookup(job)

    def _judge_lookup(self, job: Job) -> None:
        said = job.lookup.said if job.lookup else Said.NOTHING
        verdict, reason = judge_lookup(said, self._resolver.server_works)
        result = never_asked(job.target, job.asked_at, verdict, reason, job.lookup_ms)
        self._done.append((job.number, result))

    def _request(self, job: Job, verb: str, *, peek: bool = False) -> None:
        place, lookup = job.place, job.lookup
        name, addresses = (f"{place.host}:{place.port}", lookup.addresses) if lookup else ("", ())
        left_s = min(job.left_s, CERTIFICATE_S) if peek else job.left_s
        request = Request(job.number, place.url, verb, left_s, place.https, name, addresses, peek)
        request.certificate = peek or (place.https and job.target.read_certificate)
        if job.trace is not None:
            job.trace.exchanges.append(Exchange())
            request.account = job.trace.exchanges[-1].account
        try:
            self._transfers.start(request)
        except Exception as error:  # the guard of one target: the others go on
            log.exception("%s could not be asked", place.url)
            self._leave(job, our_fault(job.target, datetime.now(UTC), error))

    def _on_outcome(self, job: Job, outcome: Outcome) -> None:
        job.left_s -= outcome.phases.total_ms / 1000
        verb = outcome.request.verb
        if job.trace is not None:
            job.trace.exchanges[-1].outcome = outcome
        if job.refused is not None:  # this was the look at its certificate
            self._end(job, job.refused, outcome.certificate)
        elif _wants_peek(job, outcome.failure):
            job.refused = outcome
            self._request(job, verb, peek=True)
        elif verb == "HEAD" and outcome.code in GET_AFTER and job.target.get_fallback and job.left_s > 0:
            self._request(job, "GET")
        else:
            self._end(job, outcome, outcome.certificate)

    def _end(self, job: Job, outcome: Outcome, certificate: Certificate | None) -> None:
        timeout_s = self._limits.timeout_s
        judged = judge_outcome(job.target, outcome, certificate, timeout_s, datetime.now(UTC))
        result = of_outcome(job.target, job.asked_at, job.lookup_ms, outcome, judged)
        if certificate is not None and job.target.read_certificate:
            result = replace(result, certificate_ends=certificate.not_after)
        self._leave(job, result)

    def _leave(self, job: Job, result: ProbeResult) -> None:
        del self._running[job.number]
        self._queue.free(job.host)
        self._done.append((job.number, result))


def _wants_peek(job: Job, failure: Failure | None) -> bool:
    """Must its refused certificate be looked at: for the reason, or since somebody asked for it?"""
    if failure is None or job.left_s <= 0:
        return False
    return needs_certificate(failure) or (job.target.read_certificate and refuses_certificate(failure))
