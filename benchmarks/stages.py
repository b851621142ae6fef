"""Does what ``manage.py probe`` does, with a clock around each stage; runs inside an installation.

Prints JSON: for each stage its seconds on the wall and of CPU, less those of the stages within it. With
``--functions N`` cProfile's list of the N functions that took the longest follows; it slows everything down.
"""

from __future__ import annotations

import cProfile
import importlib
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.machine import TICKS_S

# (module whose name is wrapped, name, stage): where it is looked up, not where it is written.
WRAPPED = (
    ("monitor.due", "targets", "due: which sites"),
    ("monitor.sweep", "look", "look: around the engine"),
    ("monitor.sandbox", "look", "look: sandbox"),
    ("monitor.sweep", "probe_all", "look: the engine asks"),
    ("monitor.recording", "record", "record: commit, and what is not below"),
    ("monitor.recording", "_current_rows", "record: read the sites"),
    ("monitor.recording", "_store_views", "record: each view's row"),
    ("djamon.lib.bulk", "insert", "record: write the views"),
    ("monitor.recording", "_store_states", "judge, and each site's new row"),
    ("djamon.lib.bulk", "update", "record: write the sites"),
    ("monitor.outages", "apply", "record: outages and alerts"),
)


@dataclass(slots=True)
class Spent:
    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Clock:
    """Seconds by stage; a stage inside another one is taken off it."""

    stages: dict[str, Spent] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        self._open.append(stage)
        try:
            yield
        finally:
            self._open.pop()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            self._add(stage, wall, cpu)
            if self._open:
                self._add(self._open[-1], -wall, -cpu)

    def wrapped(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.running(stage):
                return function(*arguments, **named)

        return timed

    def _add(self, stage: str, wall_s: float, cpu_s: float) -> None:
        spent = self.stages.setdefault(stage, Spent())
        spent.wall_s += wall_s
        spent.cpu_s += cpu_s


def main() -> None:
    started = Spent(_age_s(), time.process_time())
    clock = Clock()
    with clock.running("load Django and the apps"):
        import django  # noqa: PLC0415

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415

        importlib.import_module("monitor.management.commands.probe")
    missing = _wrap(clock)
    profile = cProfile.Profile() if "--functions" in sys.argv else None
    with clock.running("command: lease, run, alerts"):
        if profile:
            profile.enable()
        call_command("probe")
        if profile:
            profile.disable()
    clock.stages["start the interpreter"] = started
    stages = {stage: [spent.wall_s, spent.cpu_s] for stage, spent in clock.stages.items()}
    print(json.dumps({"stages": stages, "missing": missing}))
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(int(sys.argv[-1]))


def _wrap(clock: Clock) -> list[str]:
    """Put the clock around each stage; what is not there by that name is told."""
    missing = []
    for module_name, name, stage in WRAPPED:
        module = importlib.import_module(module_name)
        if hasattr(module, name):
            setattr(module, name, clock.wrapped(getattr(module, name), stage))
        else:
            missing.append(f"{module_name}.{name}")
    return missing


def _age_s() -> float:
    """Since this process began, to a hundredth."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        began = int(stat.read().rpartition(") ")[2].split()[19]) / TICKS_S
        return max(0.0, float(uptime.read().split()[0]) - began)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djamon.settings")
    main()
