"""How a process that runs for ever hears that it shall end, or that a child of it has ended."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
from types import FrameType, TracebackType
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """While entered, SIGTERM, SIGINT and SIGHUP count as requests to end, and any signal ends a ``wait``.

    Handlers only count: the wake-up goes through a socket pair, because an Event that is set inside a handler
    can lock up the thread that just waits for it. Main thread only.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.selector = selectors.DefaultSelector()
        self._ours, self._theirs = socket.socketpair()
        self._old: dict[signal.Signals, Any] = {}
        self._old_fd = -1

    def __enter__(self) -> Signals:
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self.selector.register(self._ours, selectors.EVENT_READ)
        self._old_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            self._old[number] = signal.signal(number, self._count)
        self._old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self.selector.close()
        self._ours.close()
        self._theirs.close()

    @property
    def stopping(self) -> bool:
        return self.requests > 0

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.requests += 1

    def wait(self, seconds: float) -> list[Any]:
        """Until a signal comes, something registered in ``selector`` can be read, or ``seconds`` have passed.

        Gives the ``data`` of what can be read.
        """
        ready = [key for key, _ in self.selector.select(max(0.0, seconds))]
        with contextlib.suppress(BlockingIOError):
            while self._ours.recv(4096):
                pass
        return [key.data for key in ready if key.fileobj is not self._ours]
