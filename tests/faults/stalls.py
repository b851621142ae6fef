"""How long this process stood still: on a busy machine a good site may answer late, by nobody's fault."""

from __future__ import annotations

import threading
import time

STEP_S = 0.02


class Watch:
    """Sleeps in short steps and notes by how much the longest was too long."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self) -> float:
        """The longest stand-still since the last call, in seconds."""
        longest, self.longest_s = self.longest_s, 0.0
        return longest

    def _watch(self) -> None:
        while True:
            before = time.monotonic()
            time.sleep(STEP_S)
            self.longest_s = max(self.longest_s, time.monotonic() - before - STEP_S)
