"""Which sockets are ready, and who wants to know: an epoll, or a poll where there is none.

The standard library's selectors do as much, and besides keep a record of each socket that nobody here reads:
of what a site over HTTP costs, a tenth.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from contextlib import suppress

READ, WRITE = 1, 2  # as libcurl has them, too
MOST_AT_ONCE = 256
TO_KERNEL = (0, select.POLLIN, select.POLLOUT, select.POLLIN | select.POLLOUT)  # by the sum of ours

OnReady = Callable[[int, int], object]
"""Gets a file descriptor and what it is ready for; what went wrong with it shows when that is tried."""


class Sockets:
    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, OnReady]] = {}
        if sys.platform == "linux":
            self._poll = select.epoll()
        else:
            self._poll = select.poll()

    def __len__(self) -> int:
        return len(self._watched)

    def watch(self, fd: int, events: int, on_ready: OnReady) -> None:
        """For READ, WRITE or their sum, from now on for these alone."""
        if fd not in self._watched:
            self._poll.register(fd, TO_KERNEL[events])
        else:
            try:
                self._poll.modify(fd, TO_KERNEL[events])
            except FileNotFoundError:  # it was closed without a word, and is another one now
                self._poll.register(fd, TO_KERNEL[events])
        self._watched[fd] = events, on_ready

    def forget(self, fd: int) -> None:
        """Before it is closed, or after; one that is not watched is nothing to forget."""
        if self._watched.pop(fd, None):
            with suppress(OSError):  # the kernel has forgotten what is closed
                self._poll.unregister(fd)

    def serve(self, timeout_s: float) -> int:
        """Wait until something is ready, or for so long, and tell; gives how many were ready."""
        if sys.platform == "linux":
            ready = self._poll.poll(timeout_s, MOST_AT_ONCE)
        else:
            ready = self._poll.poll(timeout_s * 1000)
        for fd, found in ready:
            if fd not in self._watched:  # one before had it forgotten
                continue
            wanted, on_ready = self._watched[fd]
            # What is neither is an error or an end: whoever waits for either is to see it.
            events = (found & ~select.POLLOUT and READ) | (found & ~select.POLLIN and WRITE)
            on_ready(fd, events & wanted)
        return len(ready)

    def close(self) -> None:
        self._watched.clear()
        if sys.platform == "linux":
            self._poll.close()
