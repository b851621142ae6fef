"""What many ask for in the same moment is made once: the first makes it, the others wait for it.

In this process only, and bounded: what was longest not asked for is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

KEPT = 256

Made = TypeVar("Made")


class _Place(Generic[Made]):
    """Where something will be; whoever holds the lock makes it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.made: list[Made] = []


class Shared(Generic[Made]):
    """Keeps what was made by its key. Whoever asks must name in the key all that it depends on."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = Lock()
        self._places: OrderedDict[Hashable, _Place[Made]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` gave for this key; where it raises, whoever comes next tries again."""
        place = self._place(key)
        with place.lock:
            if not place.made:
                place.made.append(make())
            return place.made[0]

    def _place(self, key: Hashable) -> _Place[Made]:
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            if len(self._places) > self._kept:
                self._places.popitem(last=False)
            return place
