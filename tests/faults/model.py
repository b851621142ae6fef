"""What must come out of a run, said apart from the product: nothing here imports any of its code.

A site stands at (failures in a row, is down). A run has one of three effects on it; where a fault of ours
leaves open which, the model keeps every standing that is possible until the database has shown the one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

Standing = tuple[int, bool]
STRIKES = 3

UP, DOWN, NOTHING = "up", "down", "nothing"
ANYTHING = frozenset({UP, DOWN, NOTHING})
GOOD = frozenset({UP})
BAD = frozenset({DOWN})
UNTOUCHED = frozenset({NOTHING})
GOOD_OR_UNTOUCHED = frozenset({UP, NOTHING})
BAD_OR_UNTOUCHED = frozenset({DOWN, NOTHING})


def after(standing: Standing, effect: str) -> Standing:
    failures, down = standing
    if effect == NOTHING:
        return standing
    if effect == UP:
        return 0, False
    return failures + 1, down or failures + 1 >= STRIKES


@dataclass
class Told:
    """Alerts that must have been written so far, by kind."""

    down: int = 0
    also_down: int = 0
    up_again: int = 0


@dataclass
class Model:
    """All sites, the outages and the alerts, as they must be."""

    standings: dict[int, Standing]
    told: Told = field(default_factory=Told)
    outages: int = 0
    is_open: bool = False

    @classmethod
    def of(cls, sites: Iterable[int]) -> Model:
        return cls(dict.fromkeys(sites, (0, False)))

    def step(self, effects: Mapping[int, Set[str]], seen: Mapping[int, Standing]) -> list[str]:
        """Take one run's possible ``effects`` and what the database shows since; gives what is wrong."""
        wrong = []
        fell = came_back = False
        for site, before in self.standings.items():
            possible = {after(before, effect) for effect in effects[site]}
            if seen[site] not in possible:
                wrong.append(f"site {site} stands at {seen[site]}, possible: {sorted(possible)}")
            fell |= seen[site][1] and not before[1]
            came_back |= before[1] and not seen[site][1]
        self.standings = dict(seen)
        self._tell(fell, came_back)
        return wrong

    def _tell(self, fell: bool, came_back: bool) -> None:
        if fell and self.is_open:
            self.told.also_down += 1
        elif fell:
            self.told.down += 1
            self.outages += 1
            self.is_open = True
        if came_back and self.is_open and not any(down for _, down in self.standings.values()):
            self.told.up_again += 1
            self.is_open = False
