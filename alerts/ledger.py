"""What became of each delivery: attempts and states are written here, after sending, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least

from alerts.channels.shape import Blame, Outcome, Refused, Sent
from alerts.claims import Claim, before_outer, due, unleased
from alerts.models import Attempt, ChannelTotal, Delivery
from alerts.retry import PAUSES, TAKEN_UP_AFTER, honoured, in_time, next_try
from alerts.words import result_line

# How the result of a delivery begins that was not tried, because its channel was down.
PUT_OFF = "put off: "


def record(claim: Claim, channel: str, outcome: Outcome, elapsed_ms: float, now: datetime) -> Delivery.State:
    """Write an attempt and, where the claim still holds, the state that follows; gives that state.

    Whoever lost the claim leaves the state to the new holder, but the attempt was made and is told.
    """
    ok = isinstance(outcome, Sent)
    result = result_line(outcome.reason)
    state, again = _after(claim, outcome, now)
    with transaction.atomic():
        if state != Delivery.State.PENDING:
            give_turn_after(Q(pk=claim.delivery_id), claim.due_at)
        Delivery.objects.filter(pk=claim.delivery_id, claim=claim.token, state=Delivery.State.PENDING).update(
            state=state,
            tries=claim.tries + 1,
            next_try=again or now,
            sent_at=now if ok else None,
            last_result=result,
            channel_fault=isinstance(outcome, Refused) and outcome.blame is not Blame.MESSAGE,
            claim=None,
            lease_until=None,
        )
        Attempt.objects.create(
            delivery_id=claim.delivery_id, at=claim.at, ok=ok, result=result, elapsed_ms=elapsed_ms
        )
        _settle_along(claim, ok=ok, result=result, now=now)
        _count(channel, ok=ok)
    return state


def _settle_along(claim: Claim, *, ok: bool, result: str, now: datetime) -> None:
    """What went in the same message has arrived with it; refused, it waits for its turn again."""
    along = Delivery.objects.filter(pk__in=claim.with_it, claim=claim.token, state=Delivery.State.PENDING)
    if not ok:
        along.update(claim=None, lease_until=None)
        return
    words = result_line(f"{result}, in one message with what came before")
    keys = list(along.values_list("pk", flat=True))
    along.update(
        state=Delivery.State.SENT,
        tries=F("tries") + 1,
        sent_at=now,
        last_result=words,
        claim=None,
        lease_until=None,
    )
    Attempt.objects.bulk_create(Attempt(delivery_id=key, at=claim.at, ok=True, result=words) for key in keys)


def _after(claim: Claim, outcome: Outcome, now: datetime) -> tuple[Delivery.State, datetime | None]:
    if isinstance(outcome, Sent):
        return Delivery.State.SENT, None
    again = next_try(claim.tries + 1, now, claim.expires, outcome.retry_after_s)
    return (Delivery.State.PENDING if again else Delivery.State.EXPIRED), again


def _count(channel: str, *, ok: bool) -> None:
    column = "sent" if ok else "failed"
    total = ChannelTotal.objects.filter(channel=channel)
    if not total.update(**{column: F(column) + 1}):
        ChannelTotal.objects.bulk_create([ChannelTotal(channel=channel)], ignore_conflicts=True)
        total.update(**{column: F(column) + 1})


def put_off(channel: str, refused: Refused, *, due_at: datetime, now: datetime) -> int:
    """Let all that is due on a channel that is down wait, untried, for the shortest pause; gives how many.

    Not for as long as the one that failed: should that one be the cause, the others get their turn first.
    """
    due_again = now + max(PAUSES[0], honoured(refused.retry_after_s))
    words = result_line(f"{PUT_OFF}{refused.reason}")
    waiting = Delivery.objects.filter(due(due_at, now), channel=channel)
    result = {"last_result": words, "channel_fault": True}
    count = waiting.filter(alert__expires__gt=due_again).update(next_try=due_again, **result)
    # The rest would be given up by then: few, so each has its own last call.
    rest = waiting.filter(alert__expires__lte=due_again)
    for expires in list(rest.order_by().values_list("alert__expires", flat=True).distinct()):
        again = in_time(due_again, now, expires) or now + PAUSES[0]
        count += rest.filter(alert__expires=expires).update(next_try=again, **result)
    return count


def take_up(channel: str, now: datetime) -> int:
    """The channel answers again: what its fault held up has its turn soon, and says its own last result.

    Otherwise a fault that is over would be told as the reason of all that waits. What was tried waits some
    minutes all the same: it may be what the channel breaks at. Gives how many.
    """
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-at", "-pk").values("result")[:1]
    waiting = Q(state=Delivery.State.PENDING, channel=channel, channel_fault=True)
    soon = Case(When(tries=0, then=Value(now)), default=Value(now + TAKEN_UP_AFTER))
    return Delivery.objects.filter(unleased(now) & waiting).update(
        next_try=Least("next_try", soon),  # what is due already keeps its turn in this round
        last_result=Coalesce(Subquery(last), Value("")),
        channel_fault=False,
    )


def expire(now: datetime) -> int:
    """Give up what nobody took in its time; gives how many deliveries."""
    late = unleased(now) & Q(state=Delivery.State.PENDING, alert__expires__lte=now)
    with transaction.atomic():
        give_turn_after(late, now)
        return Delivery.objects.filter(late).update(state=Delivery.State.EXPIRED)


def drop(keys: Collection[int], by: str, now: datetime) -> int:
    """Give up what ``by`` no longer wants to be tried; gives how many. What is just being sent is left alone.

    Nothing is dropped because its address is no longer in the settings: cron may run with other settings
    than the web process, and what the one does not know the other may have been told.
    """
    chosen = unleased(now) & Q(state=Delivery.State.PENDING, pk__in=keys)
    with transaction.atomic():
        give_turn_after(chosen, now)
        return Delivery.objects.filter(chosen).update(
            state=Delivery.State.DROPPED, last_result=result_line(f"given up by {by}")
        )


def give_turn_after(settled: Q, at: datetime) -> None:
    """What waited for ``settled`` (still pending) is due ``at``: that it had to wait is nobody's fault."""
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING, next_try__lt=at)
    waiting.filter(Exists(before_outer().filter(settled))).update(next_try=at)
