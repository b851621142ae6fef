"""Keeps the product's processes running in the foreground: prefixes what they say, restarts one that dies.

One thread and one loop: the children's pipes and our signals are waited for together. It knows no rule of any
child; what runs is the table in jobs.services.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from djamon.lib.signals import Signals
from jobs.child import Child

GRACE_S = 10.0  # from SIGTERM to SIGKILL: more than any child takes to end its own children
READY_CHECK_S = 0.2
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """A line that is said once, as soon as ``is_true`` says so."""

    line: str
    is_true: Callable[[], bool]


class Supervisor:
    """``run`` returns when ``signals`` (entered by the caller) asks for the end, with all children gone."""

    def __init__(
        self, children: list[Child], signals: Signals, out: TextIO, announcement: Announcement | None = None
    ) -> None:
        self.children = children
        self.signals = signals
        self.out = out
        self._announcement = announcement
        self._width = max((len(child.service.name) for child in children), default=0)

    def run(self) -> None:
        try:
            while not self.signals.stopping:
                self._start_those_due()
                self._listen(self._seconds_to_next())
                self._bury_the_dead()
                self._announce()
        finally:
            self._end_all()

    def _start_those_due(self) -> None:
        for child in self.children:
            if child.process is None and child.restart_at <= time.monotonic():
                if why_not := child.start():
                    self._say(why_not)
                else:
                    self.signals.selector.register(child.fileno(), selectors.EVENT_READ, child)

    def _seconds_to_next(self) -> float:
        restarts = [child.restart_at - time.monotonic() for child in self.children if child.process is None]
        return min([*restarts, READY_CHECK_S if self._announcement else LONGEST_WAIT_S])

    def _listen(self, seconds: float) -> None:
        for child in self.signals.wait(seconds):
            self._pass_on(child)
            if child.is_silent:  # its end would be readable for ever
                self._stop_listening(child)

    def _stop_listening(self, child: Child) -> None:
        if child.fileno() in self.signals.selector.get_map():
            self.signals.selector.unregister(child.fileno())

    def _pass_on(self, child: Child) -> None:
        for line in child.lines():
            self._say_for(child, line)

    def _bury_the_dead(self) -> None:
        for child in self.children:
            if child.has_ended:
                obituary = self._bury(child)
                self._say(obituary)

    def _bury(self, child: Child) -> str:
        self._pass_on(child)
        if child.last_words:
            self._say_for(child, child.last_words)
        self._stop_listening(child)
        return child.bury()

    def _announce(self) -> None:
        if self._announcement and self._announcement.is_true():
            self._say(self._announcement.line)
            self._announcement = None

    def _end_all(self) -> None:
        """SIGTERM to each; SIGKILL when the grace is over or somebody asks once more."""
        asked = self.signals.requests
        until = time.monotonic() + GRACE_S
        for child in self.children:
            child.terminate()
        while living := [child for child in self.children if child.process]:
            rest_s = until - time.monotonic()
            if rest_s <= 0 or self.signals.requests > asked:
                for child in living:
                    child.kill()
            elif not any(child.has_ended for child in living):
                self._listen(rest_s)
            for child in living:
                if child.has_ended:
                    self._bury(child)

    def _say_for(self, child: Child, line: str) -> None:
        self._say(f"{child.service.name:{self._width}} | {line}")

    def _say(self, line: str) -> None:
        """A reader of our output who has gone away ends us, as it ends any program in a pipe."""
        try:
            self.out.write(line + "\n")
            self.out.flush()
        except OSError:
            self.signals.requests += 1
            self.out = open(os.devnull, "w")  # noqa: SIM115  (till we end)
