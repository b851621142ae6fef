"""What a benchmark prints: a heading, the machine, one small Markdown table. No measuring here."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from types import FrameType

from benchmarks import machine

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """What an issue asks for: at most ``limit``, or at least."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def words(self, unit: str) -> str:
        return f"{'≥' if self.at_least else '≤'} {figure(self.limit, unit)}"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: several measurements of one thing; their median is held against the goal."""

    name: str
    values: Sequence[float]
    unit: str = ""
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def spread(self) -> str:
        if len(self.values) == 1:
            return "once"
        low, high = (figure(value, "") for value in (min(self.values), max(self.values)))
        return f"{low} to {high} of {len(self.values)}"

    def cells(self) -> tuple[str, ...]:
        if self.goal is None:
            return self.name, figure(self.median, self.unit), self.spread, "", ""
        judged = "ok" if self.goal.met(self.median) else "missed"
        return self.name, figure(self.median, self.unit), self.spread, self.goal.words(self.unit), judged


def figure(value: float, unit: str) -> str:
    """Three digits that count, the unit behind them: 0.213 ms, 21.3 ms, 2,130."""
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its columns as wide as they need to be."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def show(title: str, lines: Sequence[Line], *, notes: Iterable[str] = ()) -> None:
    """Print one result."""
    head = ("", "median", "spread", "goal", "")
    print(f"\n### {title}\n\n{machine.description()}\n\n{table(head, [line.cells() for line in lines])}")
    for note in notes:
        print(f"\n{note}")
    sys.stdout.flush()


def step(words: str) -> None:
    """Tell what is going on, beside the results."""
    print(f"  … {words}", file=sys.stderr, flush=True)


def quick_wanted(purpose: str | None) -> bool:
    """For a program without options of its own."""
    quick: bool = parser(purpose).parse_args().quick
    return announced(quick=quick)


def parser(purpose: str | None) -> ArgumentParser:
    """With the one option that every program here has."""
    found = ArgumentParser(description=purpose)
    found.add_argument("--quick", action="store_true", help="small sizes, to try the program: no result")
    return found


def announced(*, quick: bool) -> bool:
    """Say so where the figures will be no result. From here on SIGTERM ends us like an error: what we have
    started ends with us.
    """
    signal.signal(signal.SIGTERM, _leave)
    if quick:
        print("\nSmall sizes, to try the program: these figures are no result.", flush=True)
    return quick


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit("bench: ended by SIGTERM")
