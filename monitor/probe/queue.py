"""Who may start next: at most so many requests to one host at a time, the others in the order they came."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar


class HasHost(Protocol):
    @property
    def host(self) -> str: ...


Item = TypeVar("Item", bound=HasHost)


class HostQueue(Generic[Item]):
    """First in, first out, but for items whose host has all its places taken: these wait aside for it."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._ready: deque[Item] = deque()
        self._aside: dict[str, deque[Item]] = {}
        self._busy: dict[str, int] = {}

    def put(self, item: Item) -> None:
        self._ready.append(item)

    def take(self) -> Item | None:
        """The next item, which now holds a place of its host; None where nobody may start."""
        while self._ready:
            item = self._ready.popleft()
            busy = self._busy.get(item.host, 0)
            if busy < self._per_host:
                self._busy[item.host] = busy + 1
                return item
            self._aside.setdefault(item.host, deque()).append(item)
        return None

    def free(self, host: str) -> None:
        """Give one place of this host back: the first that waits for it goes to the front."""
        busy = self._busy.pop(host) - 1
        if busy:
            self._busy[host] = busy
        if waiting := self._aside.get(host):
            self._ready.appendleft(waiting.popleft())
            if not waiting:
                del self._aside[host]

    @property
    def may_start(self) -> bool:
        """Is there an item that has not been found waiting for its host?"""
        return bool(self._ready)
