"""How long faults last, and how many: all with TEST_FAULTS_FULL=1 (``make faults``), else the least."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

FULL = os.environ.get("TEST_FAULTS_FULL") == "1"
LOCKED_S = 10.0 if FULL else 1.5
GONE_S = 30.0 if FULL else 1.5

IS_ROOT = os.geteuid() == 0
NO_SECOND_HOST = "" if shutil.which("unshare") and IS_ROOT else "a second host needs root and unshare"
NO_TMPFS = "" if IS_ROOT else "only root can mount a small tmpfs"


def some(cases: Sequence[Any], *, every: int) -> Sequence[Any]:
    """All cases in full, each n-th in the suite."""
    return cases if FULL else cases[::every]
