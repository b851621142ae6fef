"""Places per host: order, bound, and who goes next when one is free."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.probe.queue import HostQueue


@dataclass(frozen=True)
class Item:
    host: str
    number: int


def filled(per_host: int, *items: Item) -> HostQueue[Item]:
    queue: HostQueue[Item] = HostQueue(per_host)
    for item in items:
        queue.put(item)
    return queue


A1, A2, A3, B1 = Item("a", 1), Item("a", 2), Item("a", 3), Item("b", 1)


def test_full_host_lets_others_pass() -> None:
    queue = filled(1, A1, A2, B1)
    assert [queue.take(), queue.take(), queue.take()] == [A1, B1, None]
    assert not queue.may_start


def test_freed_place_goes_to_the_first_who_waits() -> None:
    queue = filled(1, A1, A2, A3)
    assert [queue.take(), queue.take()] == [A1, None]
    queue.put(B1)
    queue.free("a")
    assert [queue.take(), queue.take(), queue.take()] == [A2, B1, None]


def test_host_has_all_its_places_again_after_use() -> None:
    queue = filled(2, A1, A2, A3)
    assert [queue.take(), queue.take(), queue.take()] == [A1, A2, None]
    queue.free("a")
    queue.free("a")
    assert [queue.take(), queue.take()] == [A3, None]
