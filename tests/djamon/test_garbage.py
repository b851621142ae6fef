"""The search for cycles, in a process of its own: it is a setting of the whole process."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from djamon.lib import garbage
garbage.search_seldom()
before = gc.get_stats()[0]["collections"]
kept = [[] for _ in range(200_000)]
print(gc.get_stats()[0]["collections"] - before)
"""


def test_many_objects_bring_no_search() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
