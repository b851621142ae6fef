#!/usr/bin/env python3
"""What a crontab line calls: a manage.py command (``probe`` where none is named), from any folder.

Ends with the command's own exit status. Its output goes to cron's log, which is kept small here.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "var" / "cron.log"
LOG_LIMIT = 5_000_000  # bytes; one older log of this size is kept


def main(arguments: list[str]) -> None:
    keep_small(LOG)
    os.chdir(ROOT)
    sys.path[0] = str(ROOT)
    os.environ.setdefault("DJAMON_TRIGGER", "cron")
    import manage  # noqa: PLC0415  (found only once the path is set)

    print(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} ", end="", flush=True)  # noqa: T201
    sys.argv = ["manage.py", *(arguments or ["probe"])]
    manage.main()


def keep_small(log: Path) -> None:
    """Start a new log where the old one has reached its limit; the shell has this run's already open."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    except OSError:
        return  # no log yet, or cron writes elsewhere


if __name__ == "__main__":
    main(sys.argv[1:])
