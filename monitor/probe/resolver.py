"""Looks names up, apart from the probes and under a limit of its own; honours /etc/hosts as the system does.

All questions go over one channel, which is cheap, and asks each name server. What it does not answer well,
or soon, is asked again apart, each name server over a channel of its own: one answer that is no DNS message
costs all that is under way on a channel a try, and an answer that comes after the next try has begun is lost.
So no name costs another one its answer, and a slow name is waited for to the limit.
"""

from __future__ import annotations

import math
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pycares

from monitor.probe.channel import Answer, Channel
from monitor.probe.limits import MOST_APART
from monitor.probe.names import PROOF, Lookup, Said, of_attempts, settled_at, together
from monitor.probe.sockets import Sockets

FAMILIES = (socket.AF_INET6, socket.AF_INET)
AGAIN = (1 / 12, 1 / 2)  # of the limit: what has no answer by then is asked apart
PAUSE = 1 / 12  # of the limit, before what has failed is asked again: a server may be asked too much just now
FIRST_TRY_S = 1.0  # after which c-ares asks again, or the next server: a datagram may get lost
SHORTEST_TRY_S = 0.25  # to which c-ares shortens it where a server has been quick before


@dataclass(eq=False, slots=True)
class _Question:
    """One family of a name: how many questions are ``open``, how often it was asked ``again``, and what came
    of those that ``failed``; ``is_shared``: open on the channel of all; ``pauses``: all have failed, and it
    will be asked again.
    """

    family: socket.AddressFamily
    open: int = 0
    again: int = 0
    failed: list[Said] = field(default_factory=list)
    is_shared: bool = True
    pauses: bool = False


@dataclass(eq=False, slots=True)
class _Open:
    """A look-up under way; ``over_at`` moves forward as families are settled."""

    name: str
    started: float
    deadline: float
    over_at: float
    questions: list[_Question]  # of the families that are not settled
    said: dict[int, Said] = field(default_factory=dict)
    addresses: dict[int, tuple[str, ...]] = field(default_factory=dict)
    apart: list[Channel] = field(default_factory=list)


class Resolver:
    """``ask`` names, call ``tick`` when ``due`` and after events, take ``finished``.

    ``server_works`` turns true with the first real answer, also to the question about the root that goes with
    the first name: so a single site whose own name servers are dead is told from a dead name server of ours.
    """

    def __init__(
        self,
        sockets: Sockets,
        limit_s: float,
        name_servers: Sequence[str] = (),
        most_apart: int = MOST_APART,
    ) -> None:
        self.finished: list[Lookup] = []
        self.server_works = False
        self._sockets = sockets
        self._limit_s = limit_s
        self._servers = name_servers
        self._most_apart = most_apart
        self._channel: Channel | None = None
        self._root: Channel | None = None
        self._open: dict[str, _Open] = {}
        self._graces: deque[_Open] = deque()  # one family has answered; in order of their ends
        self._to_ask_again: list[deque[_Open]] = [deque() for _ in AGAIN]  # in order of their beginnings
        # All that was asked of these has failed; in order of the moments when they go on.
        self._failed: deque[tuple[float, _Open, _Question]] = deque()
        self._apart = 0  # channels
        self._spent: list[Channel] = []

    @property
    def in_flight(self) -> int:
        return len(self._open)

    def ask(self, name: str) -> None:
        """Begin to look up one name, in lower case; its Lookup comes into ``finished``, within the limit."""
        now = time.monotonic()
        if name == "invalid" or name.endswith(".invalid"):  # RFC 6761, 6.4: never asked
            self.finished.append(Lookup(name, Said.NO_SUCH_NAME))
            return
        deadline = now + self._limit_s
        questions = [_Question(family) for family in FAMILIES]
        lookup = self._open[name] = _Open(name, now, deadline, deadline, questions)
        for waiting in self._to_ask_again:
            waiting.append(lookup)
        channel = self._channel or self._open_channel()
        for question in tuple(questions):
            self._put(channel, lookup, question)

    def due(self) -> float:
        """The monotonic time of the next ``tick``; infinite where nothing is under way."""
        if not self._open:
            return math.inf
        first = next(iter(self._open.values())).deadline  # all have the same limit: the oldest ends first
        channels = (channel.due for channel in (self._channel, self._root) if channel)
        return min(
            first, *channels, *self._due_apart(), self._graces[0].over_at if self._graces else math.inf
        )

    def _due_apart(self) -> Iterator[float]:
        if self._apart >= self._most_apart:  # until one of them is over
            return
        for share, waiting in zip(AGAIN, self._to_ask_again, strict=True):
            if waiting:
                yield waiting[0].started + share * self._limit_s
        if self._failed:
            yield self._failed[0][0]

    def tick(self) -> None:
        """Ask again what has failed or waits for long, and end what is over."""
        if not self._open and not self._spent:  # sites by address alone, or the last name is known
            return
        now = time.monotonic()
        for channel in (self._channel, self._root):
            if channel is not None:
                channel.tick(now)
        self._ask_slow_ones_again(now)
        self._go_on_with_failed_ones(now)
        while self._graces and self._graces[0].over_at <= now:
            self._finish(self._graces.popleft(), now)
        while self._open and (oldest := next(iter(self._open.values()))).deadline <= now:
            self._finish(oldest, now)
        self._close_spent()

    def close(self) -> None:
        for lookup in self._open.values():
            self._spent += lookup.apart
        self._open.clear()
        self._close_spent()
        for channel in (self._channel, self._root):
            if channel:
                channel.close()
        self._channel = self._root = None

    def _ask_slow_ones_again(self, now: float) -> None:
        for number, (share, waiting) in enumerate(zip(AGAIN, self._to_ask_again, strict=True)):
            while waiting and waiting[0].started + share * self._limit_s <= now:
                if self._apart >= self._most_apart:
                    return
                lookup = waiting.popleft()
                for question in tuple(lookup.questions):
                    if question.again <= number and not question.pauses:
                        self._ask_apart(lookup, question, now)

    def _go_on_with_failed_ones(self, now: float) -> None:
        while self._failed and self._failed[0][0] <= now and self._apart < self._most_apart:
            _, lookup, question = self._failed.popleft()
            question.pauses = False
            if question.open:  # another server was asked meanwhile
                continue
            if question.again < len(AGAIN):
                self._ask_apart(lookup, question, now)
            else:
                self._settle(lookup, question, Answer(of_attempts(question.failed), (), proves=False))

    def _open_channel(self) -> Channel:
        try_s = min(FIRST_TRY_S, self._limit_s / 2)
        tries = max(2, math.ceil(math.log2(self._limit_s / SHORTEST_TRY_S + 1)))  # each lasts twice the last
        self._channel, self._root = (
            Channel(self._sockets, self._limit_s, self._servers, try_s=try_s, tries=tries) for _ in range(2)
        )
        self._root.ask_for_root(self._note_proof)
        return self._channel

    def _put(self, channel: Channel, lookup: _Open, question: _Question) -> None:
        question.open += 1
        answered = partial(self._on_answer, lookup, question, shared=channel is self._channel)
        channel.ask(lookup.name, question.family, answered)

    def _ask_apart(self, lookup: _Open, question: _Question, now: float) -> None:
        """Each name server over a channel of its own, with all the time that is left."""
        question.again += 1
        if question.again == 1:  # what failed on the way that all share may be another one's fault
            question.failed.clear()
        assert self._channel is not None  # noqa: S101  (it was asked first)
        for server in self._channel.servers:
            if question not in lookup.questions:  # the one before answered at once
                return
            try:
                channel = Channel(self._sockets, max(0.001, lookup.deadline - now), [server])
            except pycares.AresError:  # no memory, no descriptor
                question.failed.append(Said.UNASKED)
                continue
            self._apart += 1
            lookup.apart.append(channel)
            self._put(channel, lookup, question)
        if not question.open:  # no server could be asked
            self._note_failed(lookup, question)

    # --- What comes back -------------------------------------------------------------------------
    def _on_answer(self, lookup: _Open, question: _Question, answer: Answer, *, shared: bool) -> None:
        question.open -= 1
        question.is_shared = question.is_shared and not shared
        if question not in lookup.questions:  # settled, or over
            return
        self._note_proof(answer)
        if answer.said in PROOF:
            self._settle(lookup, question, answer)
            return
        question.failed.append(answer.said)
        if not question.open:
            self._note_failed(lookup, question)

    def _note_failed(self, lookup: _Open, question: _Question) -> None:
        if question.pauses:
            return
        question.pauses = True
        self._failed.append((time.monotonic() + PAUSE * self._limit_s, lookup, question))

    def _note_proof(self, answer: Answer) -> None:
        self.server_works = self.server_works or answer.proves

    def _settle(self, lookup: _Open, question: _Question, answer: Answer) -> None:
        if question not in lookup.questions:
            return
        now = time.monotonic()
        lookup.questions.remove(question)
        lookup.said[question.family] = answer.said
        lookup.addresses[question.family] = answer.addresses
        lookup.over_at = settled_at(lookup.said, now, lookup.deadline)
        if lookup.over_at <= now:
            self._finish(lookup, now)
        elif lookup.over_at < lookup.deadline:
            self._graces.append(lookup)

    def _finish(self, lookup: _Open, now: float) -> None:
        if self._open.pop(lookup.name, None) is None:
            return
        for question in lookup.questions:
            # The channel of all loses answers: its silence alone is none where nobody could be asked apart.
            impatient = question.is_shared and Said.UNASKED in question.failed
            silent = [Said.NOTHING] * (question.open - impatient)
            lookup.said[question.family] = of_attempts([*question.failed, *silent])
        lookup.questions.clear()
        self._spent += lookup.apart  # closed later: this may be one's own answer
        v6, v4 = (lookup.addresses.get(family, ()) for family in FAMILIES)
        ms = (now - lookup.started) * 1000
        self.finished.append(Lookup(lookup.name, together(lookup.said.values()), v6 + v4, ms))

    def _close_spent(self) -> None:
        spent, self._spent = self._spent, []
        self._apart -= len(spent)
        for channel in spent:
            channel.close()
