"""One run: who is due → are we online? → ask them → are we still online? → record and judge."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from jobs.errors import LocalFault
from monitor import due, recording, sandbox
from monitor.probe import Limits, probe_all
from monitor.verdicts import ProbeResult, Target, Verdict

# Of one answer. Whether a site is down is another thing: that takes three strikes.
WORDS = {Verdict.UP: "up", Verdict.DOWN: "failed", Verdict.INCONCLUSIVE: "inconclusive"}


def in_number(sites: int) -> str:
    return "1 site" if sites == 1 else f"{sites} sites"


class Context(Protocol):
    """What a run needs of its job: to tell how far it is, and to prove that it still holds the lease."""

    def progress(self, done: int, total: int, message: str = "") -> None: ...
    def hold(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run saw before anything is written; ``void`` says why its failures don't count."""

    asked: dict[int, str]
    results: Sequence[ProbeResult]
    void: str = ""

    @property
    def counting(self) -> list[ProbeResult]:
        """Without our own connection a good answer is still one; a failure is nobody's."""
        return [result for result in self.results if result.verdict is Verdict.UP or not self.void]


def sweep(context: Context, selection: due.Selection) -> str:
    """Ask, judge and record, under the run's lease; returns the run in one clause.

    Raises LocalFault where the sandbox says that the fault is ours, LeaseLost where another run took over.
    """
    started = time.monotonic()
    now = timezone.now()
    targets = due.targets(selection, now)
    seen = look(targets, lambda done: context.progress(done, len(targets), "asking"))
    recorded = recording.record(
        seen.asked, seen.counting, strikes=settings.STRIKES, now=timezone.now(), hold=context.hold
    )
    if seen.void:
        failures = len(seen.results) - len(seen.counting)
        uncounted = "1 failure of this run does" if failures == 1 else f"{failures} failures of this run do"
        raise LocalFault(f"{seen.void}; {uncounted} not count")
    return _summary(seen.results, recorded, time.monotonic() - started)


def look(targets: Sequence[Target], on_progress: Callable[[int], None]) -> Seen:
    """Sandbox, sites and, if any failed, sandbox again; writes nothing.

    Raises LocalFault where the sandbox is gone before the first site is asked.
    """
    if not targets:
        return Seen({}, [])
    limits = probe_limits()
    before = sandbox.look(settings.SANDBOX_URLS, limits)
    if not before.reachable:
        raise LocalFault(f"our own connection is in doubt: {before.sentence}; no site was asked")
    done = Counter[str]()

    def count(_result: ProbeResult) -> None:
        done["asked"] += 1
        on_progress(done["asked"])

    results = probe_all(targets, limits, on_result=count)
    return Seen({target.key: target.url for target in targets}, results, _doubt(results, limits))


def probe_limits() -> Limits:
    """The engine's limits as the settings have them."""
    return Limits(
        timeout_s=settings.PROBE_TIMEOUT,
        lookup_timeout_s=settings.LOOKUP_TIMEOUT,
        concurrency=settings.PROBE_CONCURRENCY,
        per_host=settings.PROBE_PER_HOST,
    )


def _doubt(results: Sequence[ProbeResult], limits: Limits) -> str:
    """Why the failures of this run are ours, or nothing (DJ-26)."""
    if all(result.verdict is Verdict.UP for result in results):
        return ""
    after = sandbox.look(settings.SANDBOX_URLS, limits)
    return "" if after.reachable else f"our own connection was lost during the run: {after.sentence}"


def _summary(results: Sequence[ProbeResult], recorded: recording.Recorded, took_s: float) -> str:
    if not results:
        return "no site is due"
    counts = Counter(result.verdict for result in results)
    parts = [f"{counts[verdict]} {WORDS[verdict]}" for verdict in Verdict if counts[verdict]]
    line = f"{in_number(len(results))} asked in {took_s:.1f} s: {', '.join(parts)}"
    if recorded.skipped:
        line += f", {recorded.skipped} changed meanwhile"
    return f"{line}; {recorded.change}" if recorded.change else line
