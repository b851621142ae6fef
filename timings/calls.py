"""What is kept of samples until they are stored: the calls of each key, in columns.

Read and sorted in small batches, while the processor still has them in its caches, calls take two thirds of
the time that they take as samples of which there are a hundred thousand, and a third of the memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from timings.wire import Sample

Name = tuple[str, str]  # key and token


class Column(NamedTuple):
    """The calls of one key and token, in the order in which they came.

    ``numbers`` grow with each call of the key, whatever its token; ``extras`` are the other fields, by the
    place of the call that has them.
    """

    stamps: Sequence[int]
    times: Sequence[float]
    numbers: Sequence[int]
    extras: Mapping[int, str]


class Calls:
    """Calls that are stored together."""

    def __init__(self, samples: Sequence[Sample] = ()) -> None:
        self._count = 0
        self._of_key: defaultdict[str, _OfKey] = defaultdict(_OfKey)
        self.add(samples)

    def add(self, samples: Sequence[Sample]) -> None:
        self._count += len(samples)
        by_key: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            by_key[sample.key].append(sample)
        for key, some in by_key.items():
            self._of_key[key].add(some)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        """As samples again, those of a key together."""
        for key, found in self._of_key.items():
            for place, (token, ts, time) in enumerate(
                zip(found.tokens(), found.stamps, found.times, strict=True)
            ):
                yield Sample(key, token, ts, time, found.extras.get(place, ""))

    def by_name(self, first: int) -> Mapping[Name, Column]:
        """Numbered from ``first``."""
        found: dict[Name, Column] = {}
        for key, calls in self._of_key.items():
            numbers = range(first, first + len(calls.stamps))
            first = numbers.stop
            for token, column in calls.by_token(numbers):
                found[key, token] = column
        return found


class _OfKey:
    """The calls of a key, nearly all of which have one token."""

    __slots__ = ("_runs", "extras", "stamps", "times")

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.times: list[float] = []
        self.extras: dict[int, str] = {}
        self._runs: list[tuple[str, int]] = []  # a token, and how many calls one after the other have it

    def add(self, samples: Sequence[Sample]) -> None:
        before = len(self.stamps)
        self.stamps += [sample.timestamp for sample in samples]
        self.times += [sample.execution_time for sample in samples]
        if extras := [(place, sample.extra) for place, sample in enumerate(samples, before) if sample.extra]:
            self.extras.update(extras)
        if len({sample.token for sample in samples}) == 1:
            self._runs.append((samples[0].token, len(samples)))
        else:
            self._runs += [(sample.token, 1) for sample in samples]

    def tokens(self) -> Iterator[str]:
        for token, count in self._runs:
            for _ in range(count):
                yield token

    def by_token(self, numbers: Sequence[int]) -> Iterable[tuple[str, Column]]:
        names = {token for token, _ in self._runs}
        if len(names) == 1:
            yield names.pop(), Column(self.stamps, self.times, numbers, self.extras)
            return
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, token in enumerate(self.tokens()):
            places[token].append(place)
        for token, own in places.items():
            yield token, self._some_of(own, numbers)

    def _some_of(self, places: Sequence[int], numbers: Sequence[int]) -> Column:
        return Column(
            [self.stamps[place] for place in places],
            [self.times[place] for place in places],
            [numbers[place] for place in places],
            {at: self.extras[place] for at, place in enumerate(places) if place in self.extras},
        )
