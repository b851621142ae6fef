"""How long this process stood still: on a busy machine a good site may answer late, by nobody's fault."""

from __future__ import annotations

import threading
import time
from collections import deque

STEP_S = 0.02
STRETCH_S = 0.5  # as long as a site has for its answer (FAULTS_TIMEOUT)


class Watch:
    """Sleeps in short steps and adds up by how much those of a stretch were too long."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self) -> float:
        """The most that any stretch since the last call stood still, in one piece or in many, in seconds."""
        longest, self.longest_s = self.longest_s, 0.0
        return longest

    def _watch(self) -> None:
        steps: deque[tuple[float, float]] = deque()  # when each ended, and by how much it was too long
        while True:
            before = time.monotonic()
            time.sleep(STEP_S)
            now = time.monotonic()
            steps.append((now, now - before - STEP_S))
            while steps[0][0] < now - STRETCH_S:
                steps.popleft()
            self.longest_s = max(self.longest_s, sum(late for _, late in steps))
