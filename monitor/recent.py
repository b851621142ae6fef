"""A site's last results in one short text on its own row, so that a page of 1,000 sites reads no history.

``u123 u98 d5000 i0``: a verdict's first letter and whole milliseconds, the newest last. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.verdicts import Verdict

KEPT = 40
LETTERS = {Verdict.UP: "u", Verdict.DOWN: "d", Verdict.INCONCLUSIVE: "i"}
VERDICTS = {letter: verdict for verdict, letter in LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Recent:
    """One result as it is kept here."""

    verdict: Verdict
    ms: int


def appended(kept: str, verdict: Verdict, ms: float) -> str:
    """``kept`` with one result more, and the oldest gone where there are more than KEPT."""
    new = f"{LETTERS[verdict]}{ms:.0f}"
    if kept.count(" ") >= KEPT - 1:
        kept = " ".join(kept.split(" ")[-(KEPT - 1) :])
    return f"{kept} {new}" if kept else new


def parse(kept: str) -> list[Recent]:
    """What :func:`appended` wrote, the oldest first."""
    return [Recent(VERDICTS[word[0]], int(word[1:])) for word in kept.split()]
