"""How long faults last: in full with TEST_FAULTS_FULL=1 (``make faults``), a second or two in the suite."""

from __future__ import annotations

import os
import shutil

FULL = os.environ.get("TEST_FAULTS_FULL") == "1"
LOCKED_S = 10.0 if FULL else 1.5
GONE_S = 30.0 if FULL else 1.5

IS_ROOT = os.geteuid() == 0
NO_SECOND_HOST = "" if shutil.which("unshare") and IS_ROOT else "a second host needs root and unshare"
NO_TMPFS = "" if IS_ROOT else "only root can mount a small tmpfs"
