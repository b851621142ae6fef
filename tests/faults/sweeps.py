"""Many sweeps with random faults, each compared with the model: ``python -m tests.faults.sweeps``.

``sites``: sites break in every way of :mod:`tests.faults.plan`; each outage must be found, at its third run
and no sooner. ``ours``: links, name servers, locks, leases, descriptors and clocks break too; a good site
must never get so much as a strike.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Set
from typing import Any

import django

from tests.faults import plan, world
from tests.faults.model import ANYTHING, BAD, GOOD, Model, Standing

MOST_TIMES = 3  # so many runs for each that is asked for, where many prove nothing


class Truth:
    """Which site is broken, how, and for how many runs still."""

    def __init__(self, chance: random.Random, here: world.World, often: float) -> None:
        self.chance, self.here, self.often = chance, here, often
        self.broken: dict[int, str] = {}
        self.left: dict[int, int] = {}
        self.counts: Counter[str] = Counter()

    def go_on(self, sites: range) -> None:
        """One run later: some break, some are mended."""
        for number in sites:
            if number in self.broken:
                self.left[number] -= 1
                if not self.left[number]:
                    self._become(number, "good")
            elif self.chance.random() < self.often:
                self._become(number, self.chance.choice(plan.faults_of(number)))
                self.left[number] = self.chance.choice((1, 2, 2, 3, 3, 4, 5, 8))

    def _become(self, number: int, how: str) -> None:
        self.here.tell(do="site", n=number, how=how)
        if self.broken.get(number) == "vanished":
            self.here.forget_neighbours()
        if how == "good":
            del self.broken[number]
        else:
            self.broken[number] = how
            self.counts[how] += 1

    def effects(self) -> dict[int, Set[str]]:
        return {number: BAD if number in self.broken else GOOD for number in range(plan.SITES)}


def driver(words: list[str]) -> int:
    """Inside: run, print the counts; 1 where something was wrong."""
    options = read_words(words)
    django.setup()
    from tests.faults import ours  # noqa: PLC0415  (models are loaded only now)

    chance = random.Random(options.seed)
    ours.prepare()
    with world.world() as here:
        # Where our own side breaks, sites that are good stay good for the whole time: the first twelve.
        truth = Truth(chance, here, 0.06 if options.faults == "sites" else 0.1)
        breaking = range(plan.SITES) if options.faults == "sites" else range(12, plan.SITES)
        trouble = ours.Trouble(chance, here) if options.faults == "ours" else None
        return Series(options, truth, breaking, trouble).run()


class Series:
    def __init__(self, options: argparse.Namespace, truth: Truth, breaking: range, trouble: Any) -> None:
        self.options, self.truth, self.breaking, self.trouble = options, truth, breaking, trouble
        self.model = Model.of(range(plan.SITES))
        self.wrong = 0
        self.strikes = self.slow = 0

    def run(self) -> int:
        from tests.faults import ours  # noqa: PLC0415

        began, number, wanted = time.monotonic(), 0, self.options.runs
        while (proven := number - self.slow) < wanted and number < MOST_TIMES * wanted:
            number += 1
            self.truth.go_on(self.breaking)
            effects, said = ours.one_run(self.truth.effects(), self.trouble)
            if slow := self.truth.here.too_slow():
                self.slow += 1
                effects = dict.fromkeys(effects, ANYTHING)
            seen = ours.standings()
            if not slow:
                self.strikes += self._false(seen)
            found = self.model.step(effects, seen) + ours.compare(self.model)
            found += [] if slow else ours.unfounded(said)
            self.wrong += bool(found)
            for line in found:
                print(f"run {number}: {line} [{said}; {ours.reasons()}; broken: {self.truth.broken}]")
        self._say(time.monotonic() - began)
        if proven < wanted:
            print(f"  only {proven} of {number} runs proved anything: this machine has too much else to do")
        return 1 if self.wrong or proven < wanted else 0

    def _false(self, seen: dict[int, Standing]) -> int:
        """New strikes of sites that were good throughout."""
        before = self.model.standings
        good = [number for number in range(plan.SITES) if number not in self.breaking]
        return sum(seen[number][0] > before[number][0] for number in good)

    def _say(self, took_s: float) -> None:
        from tests.faults import ours  # noqa: PLC0415

        options, faults = self.options, self.truth.counts
        print(f"faults={options.faults} runs={options.runs} seed={options.seed} took={took_s:.0f} s")
        kinds = ", ".join(f"{number} {what}" for what, number in sorted(faults.items()))
        print(f"  faults of sites: {faults.total()} ({kinds})")
        if self.trouble:
            print(f"  faults of ours: {ours.told(self.trouble)}")
            print(f"  strikes of sites that were good throughout: {self.strikes}")
        told = self.model.told
        print(
            f"  outages: {self.model.outages}; alerts: {told.down} down, {told.also_down} also down, "
            f"{told.up_again} up again"
        )
        print(f"  runs in which this machine stood still, and which were made up for by others: {self.slow}")
        print(f"  runs that differ from the model: {self.wrong}")


def read_words(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.sweeps", description=__doc__)
    parser.add_argument("--faults", choices=("sites", "ours"), required=True)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(words)


def main() -> int:
    words = sys.argv[1:]
    if world.is_inside():
        return driver(words)
    read_words(words)
    if why := world.why_not():
        print(f"cannot run here: {why}")
        return 2
    return world.enter("tests.faults.sweeps", words).returncode


if __name__ == "__main__":
    sys.exit(main())
