"""What the answers of a name server mean: pure rules over the two questions (A and AAAA) about one name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from socket import AF_INET

from monitor.verdicts import Verdict

# RFC 8305, 3: how long IPv6 addresses are waited for where there are IPv4 ones.
RESOLUTION_DELAY_S = 0.05


class Said(IntEnum):
    """What one question brought, the weightiest first: a name is judged by the first of its two families'."""

    ADDRESSES = 1
    NO_SUCH_NAME = 2
    UNASKED = 3  # the question never left this machine
    SERVER_FAILED = 4
    REFUSED = 5
    NOTHING = 6
    NO_ADDRESS = 7  # the name exists, but not in this family: the other one decides


PROOF = {Said.ADDRESSES, Said.NO_SUCH_NAME, Said.NO_ADDRESS}  # what only a working name server says

# What a name without an answer is: where our name server works, and where it answers nothing else either.
UNANSWERED = {
    Said.SERVER_FAILED: ("name server failed for this name", "our name server fails at every question"),
    Said.REFUSED: ("name server refuses to look up this name", "our name server refuses every question"),
    Said.NOTHING: ("name look-up timed out", "our name server does not answer"),
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """One name looked up, in ``ms`` milliseconds; addresses only with ADDRESSES, IPv6 first (RFC 8305)."""

    name: str
    said: Said
    addresses: tuple[str, ...] = ()
    ms: float = 0.0


def settled_at(said: Mapping[int, Said], now: float, deadline: float) -> float:
    """When a look-up is over, given what its answered questions said up to ``now`` (monotonic seconds), by
    their families.

    A refusal or failure in one family still waits for the other: some servers wrongly deny a name when they
    only lack AAAA. IPv4 addresses are waited for to the end: RFC 8305 lets them be tried later, here all are
    handed over at once, and without them a site whose IPv6 is dead would be down.
    """
    if len(said) == 2:
        return now
    if said.get(AF_INET) is Said.ADDRESSES:
        return min(now + RESOLUTION_DELAY_S, deadline)
    return deadline


def of_attempts(said: Collection[Said]) -> Said:
    """What several attempts at one question came to, none of which was answered well.

    That one name server could not be asked says nothing where another one was.
    """
    return min([one for one in said if one is not Said.UNASKED] or said, default=Said.NOTHING)


def together(said: Collection[Said]) -> Said:
    """One word for both families; a question without an answer counts as NOTHING."""
    return min([*said, *[Said.NOTHING] * (2 - len(said))])


def judge_lookup(said: Said, server_works: bool) -> tuple[Verdict, str]:
    """Whose fault a look-up without addresses is, once the run is over.

    ``server_works``: our name server answered at least one question of this run, positively or negatively.
    Where it answered none, silence, refusal and failure are its own and tell nothing of the site.
    """
    if said in (Said.NO_SUCH_NAME, Said.NO_ADDRESS):
        return Verdict.DOWN, "name not found"
    if said is Said.UNASKED:
        return Verdict.INCONCLUSIVE, "our name server could not be asked"
    its_own, ours = UNANSWERED[said]
    return (Verdict.DOWN, its_own) if server_works else (Verdict.INCONCLUSIVE, ours)
