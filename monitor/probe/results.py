"""Puts together what one target's way through the engine means. Pure: facts in, a ProbeResult out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitor.probe import reasons
from monitor.probe.certificates import Certificate
from monitor.probe.transfers import Outcome
from monitor.verdicts import ProbeResult, Target, Verdict, verdict_of_code


def never_asked(
    target: Target, asked_at: datetime, verdict: Verdict, reason: str, lookup_ms: float | None = None
) -> ProbeResult:
    """For a target that got no further than its URL or its name."""
    return ProbeResult(
        key=target.key,
        asked_at=asked_at,
        verdict=verdict,
        code=None,
        reason=reasons.clean(reason),
        verb="HEAD",
        total_ms=lookup_ms or 0.0,
        lookup_ms=lookup_ms,
    )


def our_fault(target: Target, now: datetime, error: Exception) -> ProbeResult:
    """For what broke on our own side, with the errors of the machine in words."""
    words = reasons.OUR_ERRNOS.get(getattr(error, "errno", None) or 0, f"a fault of this program: {error!r}")
    return never_asked(target, now, Verdict.INCONCLUSIVE, words)


def judge_outcome(
    target: Target, outcome: Outcome, certificate: Certificate | None, timeout_s: float, now: datetime
) -> tuple[Verdict, str]:
    if outcome.failure is not None:
        return reasons.of_failure(replace(outcome.failure, certificate=certificate), timeout_s, now)
    code = outcome.code or 0
    return verdict_of_code(code, target.good_codes), reasons.of_code(code)


def of_outcome(
    target: Target,
    asked_at: datetime,
    lookup_ms: float | None,
    outcome: Outcome,
    judged: tuple[Verdict, str],
) -> ProbeResult:
    phases = outcome.phases
    return ProbeResult(
        key=target.key,
        asked_at=asked_at,
        verdict=judged[0],
        code=outcome.code,
        reason=judged[1],
        verb=outcome.request.verb,
        total_ms=phases.total_ms + (lookup_ms or 0.0),
        lookup_ms=lookup_ms,
        connect_ms=phases.connect_ms,
        tls_ms=phases.tls_ms,
        wait_ms=phases.wait_ms,
    )
