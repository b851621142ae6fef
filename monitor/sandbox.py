"""Are we online at all? Asks a few well-known sites, so that a fault of ours becomes no site's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.probe import Limits, probe_all
from monitor.verdicts import ProbeResult, Target


@dataclass(frozen=True, slots=True)
class SandboxReport:
    """``hosts`` were asked, ``answers`` came until it was decided; both are empty without URLs."""

    reachable: bool
    answers: tuple[ProbeResult, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """``none of www.bbc.co.uk, www.google.co.uk answered (name not found; connection refused)``"""
        if not self.hosts:
            return "nothing to ask: the precheck is off"
        if self.reachable:
            return next(f"{self.hosts[a.key]} answered ({a.reason})" for a in self.answers if has_answered(a))
        reasons = "; ".join(dict.fromkeys(answer.reason for answer in self.answers))
        if len(self.hosts) == 1:
            return f"{self.hosts[0]} did not answer ({reasons})"
        return f"none of {', '.join(self.hosts)} answered ({reasons})"


class _Enough(Exception):  # noqa: N818 - no error: it ends the run
    """One answer decides."""


def look(urls: Sequence[str], limits: Limits) -> SandboxReport:
    """Ask all of ``urls`` at once; reachable as soon as one answers over HTTP, with whatever code.

    Takes no longer than ``limits`` allow for one site. Without URLs nothing is asked: reachable.
    """
    if not urls:
        return SandboxReport(reachable=True)
    answers: list[ProbeResult] = []

    def note(answer: ProbeResult) -> None:
        answers.append(answer)
        if has_answered(answer):
            raise _Enough

    targets = [Target(number, url, frozenset()) for number, url in enumerate(urls)]
    with suppress(_Enough):
        probe_all(targets, limits, note)
    answers.sort(key=lambda answer: answer.key)
    hosts = tuple(_host(url) for url in urls)
    return SandboxReport(any(map(has_answered, answers)), tuple(answers), hosts)


def has_answered(answer: ProbeResult) -> bool:
    return answer.code is not None


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url
