"""What is kept of samples until they are stored: the calls of each key, in columns.

Read and sorted in small batches, while the processor still has them in its caches, calls take two thirds of
the time that they take as samples of which there are a hundred thousand, and a third of the memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
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

    def add(self, samples: Sequence[Sample], *, alike: bool = False) -> None:
        """``alike``: all have one token and second, and none has other fields."""
        self._count += len(samples)
        by_key: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            by_key[sample.key].append(sample)
        for key, some in by_key.items():
            self._of_key[key].add(some, alike=alike)

    @property
    def keys(self) -> int:
        """How many there are."""
        return len(self._of_key)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        """As samples again, those of a key together."""
        for key, calls in self._of_key.items():
            for place, (token, ts, time) in enumerate(
                zip(calls.tokens(), calls.stamps(), calls.times, strict=True)
            ):
                yield Sample(key, token, ts, time, calls.extras.get(place, ""))

    def by_name(self, first: int) -> Mapping[Name, Column]:
        """Numbered from ``first``."""
        found: dict[Name, Column] = {}
        for key, calls in self._of_key.items():
            numbers = range(first, first + len(calls.times))
            first = numbers.stop
            for token, column in calls.by_token(numbers):
                found[key, token] = column
        return found


class _OfKey:
    """The calls of a key. What few of them differ in is kept in runs: one of so many calls that have it."""

    __slots__ = ("_runs", "extras", "times")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.extras: dict[int, str] = {}
        self._runs: list[tuple[str, int, int]] = []  # token, second, calls

    def add(self, samples: Sequence[Sample], *, alike: bool) -> None:
        before = len(self.times)
        self.times += [sample.execution_time for sample in samples]
        if alike:
            self._runs.append((samples[0].token, samples[0].timestamp, len(samples)))
            return
        self._runs += [(sample.token, sample.timestamp, 1) for sample in samples]
        self.extras.update(
            [(place, sample.extra) for place, sample in enumerate(samples, before) if sample.extra]
        )

    def tokens(self) -> Iterator[str]:
        return chain.from_iterable([repeat(token, count) for token, _, count in self._runs])

    def stamps(self) -> list[int]:
        return list(chain.from_iterable([repeat(ts, count) for _, ts, count in self._runs]))

    def by_token(self, numbers: Sequence[int]) -> Iterator[tuple[str, Column]]:
        names = {token for token, _, _ in self._runs}
        stamps = self.stamps()
        if len(names) == 1:
            yield names.pop(), Column(stamps, self.times, numbers, self.extras)
            return
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, token in enumerate(self.tokens()):
            places[token].append(place)
        for token, own in places.items():
            yield (
                token,
                Column(
                    [stamps[place] for place in own],
                    [self.times[place] for place in own],
                    [numbers[place] for place in own],
                    {at: self.extras[place] for at, place in enumerate(own) if place in self.extras},
                ),
            )
