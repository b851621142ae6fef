"""One round of sending: what is due goes out, oldest first, each channel at its own pace.

This thread claims and records; the workers' threads send. Nothing is sent inside a transaction.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from alerts import claims, ledger
from alerts.channels import open_channels
from alerts.channels.shape import Blame, Channel, Message, Outcome, Refused, Sent
from alerts.claims import Claim
from alerts.models import Delivery
from alerts.words import result_line
from alerts.workers import Answer, Worker

logger = logging.getLogger(__name__)

# A channel that lost so many connections in a row is down: the rest of its deliveries don't wait for it.
LOSSES_IN_A_ROW: Final = 2
# All is recorded by then; a server may hear a good-bye, but nobody waits for one that hangs.
GOODBYE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one round: the rest waits for the next. ``seconds`` bounds the beginning of sends."""

    per_channel: int = 200
    seconds: float = 50.0


@dataclass(slots=True)
class SendReport:
    """What a round did, counted in deliveries; ``reasons``: the last refusal by channel."""

    sent: int = 0
    again: int = 0
    expired: int = 0
    reasons: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{self.sent} alert{'' if self.sent == 1 else 's'} sent"] if self.sent else []
        parts += [f"{self.again} to be tried again"] if self.again else []
        parts += [f"{self.expired} given up after 24 hours"] if self.expired else []
        return ", ".join(parts) or "no alerts to send"

    @property
    def line(self) -> str:
        """The clause with the reasons, for a log."""
        reasons = "; ".join(f"{label}: {reason}" for label, reason in sorted(self.reasons.items()))
        return f"{self} ({reasons})" if reasons else str(self)


def send_due(
    now: datetime | None = None,
    *,
    channels: Mapping[str, Channel] | None = None,
    clock: Callable[[], datetime] = timezone.now,
    limits: Limits | None = None,
) -> SendReport:
    """Send what is due at ``now``; not to be called inside a transaction.

    ``clock`` dates leases and attempts. Two calls at once never send the same delivery twice; after a
    crash what was under way is sent again when its lease is over.
    """
    due_at = now or clock()
    known = open_channels() if channels is None else channels
    this_round = _Round(due_at, clock, limits or Limits())
    this_round.report.expired = ledger.expire(due_at)
    return this_round.run(known)


@dataclass(slots=True)
class _Lane:
    """One channel's way through the round: what waits, what is under way."""

    channel: Channel
    worker: Worker
    waiting: deque[int]
    claim: Claim | None = None
    give_up_at: float = 0.0  # monotonic
    losses: int = 0
    answered: bool = False  # in this round


class _Round:
    def __init__(self, due_at: datetime, clock: Callable[[], datetime], limits: Limits) -> None:
        self.due_at, self.clock, self.limits = due_at, clock, limits
        self.ends_at = time.monotonic() + limits.seconds
        self.answers: SimpleQueue[Answer] = SimpleQueue()
        self.report = SendReport()
        self.database_fault: Exception | None = None

    def run(self, known: Mapping[str, Channel]) -> SendReport:
        waiting = claims.due_by_channel(self.due_at, self.clock(), self.limits.per_channel)
        lanes = []
        for name, keys in waiting.items():
            channel = known.get(name) or NoSuchChannel(name)
            lanes.append(_Lane(channel, Worker(channel, self.answers), deque(keys)))
        try:
            for lane in lanes:
                self._guarded(lane, self._start_next)
            while busy := [lane for lane in lanes if lane.claim]:
                self._settle_one(busy)
        finally:
            for lane in lanes:
                lane.worker.end()
            for lane in lanes:
                lane.worker.wait(GOODBYE_S)
        if self.database_fault:
            raise self.database_fault
        return self.report

    def _guarded(self, lane: _Lane, step: Callable[..., None], *words: object) -> None:
        """One lane that cannot go on stops; what the other channels have under way is recorded all the same.

        Its delivery stays in its lease, and is tried again after that.
        """
        try:
            step(lane, *words)
        except (DatabaseError, InterfaceError) as error:
            self._stop(lane)
            self.database_fault = self.database_fault or error  # told when all is done
        except Exception as error:
            self._stop(lane)
            logger.exception("alerts: what became of %s could not be recorded", lane.channel.label)
            words_of_it = f"unexpected fault of ours: {type(error).__name__}, see the log"
            self.report.reasons[lane.channel.label] = words_of_it

    @staticmethod
    def _stop(lane: _Lane) -> None:
        lane.waiting.clear()
        lane.claim = None

    def _start_next(self, lane: _Lane) -> None:
        """Give the lane's worker the first waiting delivery that we can claim."""
        lane.claim = None
        limit_s, public = lane.channel.limit_s, lane.channel.public
        while lane.waiting and lane.claim is None and time.monotonic() < self.ends_at:
            key = lane.waiting.popleft()
            lane.claim = claims.claim(
                key, due_at=self.due_at, now=self.clock(), limit_s=limit_s, public=public
            )
        if lane.claim:
            lane.give_up_at = time.monotonic() + limit_s
            lane.worker.give(lane.claim.token, lane.claim.message)

    def _settle_one(self, busy: list[_Lane]) -> None:
        """Wait for the next answer, or until the first lane has waited for too long."""
        first = min(busy, key=lambda lane: lane.give_up_at)
        try:
            answer = self.answers.get(timeout=max(0.0, first.give_up_at - time.monotonic()))
        except Empty:
            limit_s = first.channel.limit_s
            self._guarded(first, self._settle, _hung(limit_s), limit_s * 1000)
            return
        for lane in busy:
            if lane.claim and lane.claim.token == answer.token:
                self._guarded(lane, self._settle, answer.outcome, answer.elapsed_ms)

    def _settle(self, lane: _Lane, outcome: Outcome, elapsed_ms: float) -> None:
        assert lane.claim is not None  # noqa: S101  (callers look at busy lanes only)
        state = ledger.record(lane.claim, lane.channel.name, outcome, elapsed_ms, self.clock())
        self._tally(lane.channel, outcome, state, 1 + len(lane.claim.with_it))
        blame = outcome.blame if isinstance(outcome, Refused) else None
        lane.losses = lane.losses + 1 if blame is Blame.CONNECTION else 0
        if blame in {None, Blame.MESSAGE} and not lane.answered:
            lane.answered = True
            ledger.take_up(lane.channel.name, self.clock())
        if isinstance(outcome, Refused) and (blame is Blame.CHANNEL or lane.losses >= LOSSES_IN_A_ROW):
            lane.waiting.clear()
            self.report.again += ledger.put_off(
                lane.channel.name, outcome, due_at=self.due_at, now=self.clock()
            )
        self._start_next(lane)

    def _tally(self, channel: Channel, outcome: Outcome, state: Delivery.State, told: int) -> None:
        """``told``: how many deliveries the message was; a refused one counts as the first of them."""
        self.report.sent += told if state == Delivery.State.SENT else 0
        self.report.again += state == Delivery.State.PENDING
        self.report.expired += state == Delivery.State.EXPIRED
        if isinstance(outcome, Refused):
            self.report.reasons[channel.label] = result_line(outcome.reason)


def _hung(limit_s: float) -> Refused:
    return Refused(f"not done within {limit_s:g} s: whether it arrived is not known", blame=Blame.CHANNEL)


@dataclass(frozen=True, slots=True)
class NoSuchChannel:
    """Stands for a channel that was taken out while deliveries waited for it."""

    name: str
    public: bool = False
    limit_s: float = 1.0

    @property
    def label(self) -> str:
        return self.name

    def recipients(self) -> list[str]:
        return []

    def send(self, message: Message) -> Sent | Refused:  # noqa: ARG002
        return Refused("there is no such channel any more", blame=Blame.CHANNEL)

    def close(self) -> None:
        return None
