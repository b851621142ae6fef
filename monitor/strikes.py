"""The strike rule (DJ-28..30): when a site that fails is down, and when it is back.

Pure: (standing, verdict) → (new standing, what happened).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from monitor.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a site stands: failed runs in a row, and whether it counts as down."""

    failures: int = 0
    down: bool = False


class Event(Enum):
    NOTHING = "nothing"
    FELL = "fell"
    CAME_BACK = "came back"


def judge(standing: Standing, verdict: Verdict, strikes: int) -> tuple[Standing, Event]:
    """One more run: the ``strikes``-th failure in a row fells a site, one good answer clears it.

    INCONCLUSIVE speaks of ourselves and changes nothing.
    """
    if verdict is Verdict.INCONCLUSIVE:
        return standing, Event.NOTHING
    if verdict is Verdict.UP:
        return Standing(), Event.CAME_BACK if standing.down else Event.NOTHING
    failures = standing.failures + 1
    if standing.down or failures < strikes:
        return Standing(failures, standing.down), Event.NOTHING
    return Standing(failures, down=True), Event.FELL
