from __future__ import annotations

import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import time_machine
from hypothesis import given
from hypothesis import strategies as st

from djamon.lib.uuid7 import uuid7

START = datetime(2026, 3, 2, tzinfo=UTC)


def milliseconds(value: uuid.UUID) -> int:
    return value.int >> 80


def test_version_variant_and_time() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid7()
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    # The counter of an earlier test may stand ahead of the clock, never behind it.
    assert milliseconds(value) >= before


@given(st.integers(2, 500))
def test_they_sort_in_the_order_of_their_making(count) -> None:
    made = [uuid7() for _ in range(count)]
    assert made == sorted(set(made))
    assert [str(value) for value in made] == sorted(str(value) for value in made)


def test_they_sort_while_the_clock_stands_or_goes_back() -> None:
    made = []
    with time_machine.travel(START + timedelta(days=1), tick=False) as clock:
        made += [uuid7() for _ in range(1000)]
        clock.move_to(START)
        made += [uuid7() for _ in range(1000)]
    assert made == sorted(set(made))


def test_threads_get_different_ones_each_in_order() -> None:
    made: list[list[uuid.UUID]] = [[] for _ in range(8)]

    def work(own: list[uuid.UUID]) -> None:
        own.extend(uuid7() for _ in range(2000))

    threads = [threading.Thread(target=work, args=(own,)) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({value for own in made for value in own}) == 8 * 2000
    assert all(own == sorted(own) for own in made)
