"""What many ask for at once is made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from djamon.lib.sharing import Shared

PATIENCE_S = 5


def test_those_who_come_while_it_is_made_wait_for_it() -> None:
    shared: Shared[int] = Shared()
    begun, may_end, made = Event(), Event(), []

    def make() -> int:
        begun.set()
        assert may_end.wait(PATIENCE_S)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(shared.get, "key", make)
        assert begun.wait(PATIENCE_S)
        others = [threads.submit(shared.get, "key", make) for _ in range(4)]
        may_end.set()
        assert [each.result(PATIENCE_S) for each in (first, *others)] == [1] * 5


def test_a_failure_is_not_kept() -> None:
    shared: Shared[int] = Shared()
    with pytest.raises(ZeroDivisionError):
        shared.get("key", lambda: 1 // 0)
    assert shared.get("key", lambda: 1) == 1


def test_what_was_longest_not_asked_for_is_forgotten() -> None:
    shared: Shared[str] = Shared(kept=2)
    for key in ("a", "b", "a", "c"):
        shared.get(key, lambda: "old")
    assert {key: shared.get(key, lambda: "new") for key in ("a", "c", "b")} == {
        "a": "old",
        "c": "old",
        "b": "new",
    }
