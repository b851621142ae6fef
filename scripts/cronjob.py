#!/usr/bin/env python3
"""What a crontab line calls: a manage.py command (``probe`` where none is named), from any folder.

Ends with the command's own exit status. Each line of its output carries the time and is written whole, for
jobs of the same minute share cron's log, which is kept small here.
"""

from __future__ import annotations

import io
import os
import sys
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "var" / "cron.log"
LOG_LIMIT = 5_000_000  # bytes; one older log of this size is kept


class StampedLines(io.TextIOBase):
    """A text stream that passes on whole lines, each with the time in front, in one write each."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.pending = ""

    def write(self, text: str) -> int:
        *lines, self.pending = (self.pending + text).split("\n")
        for line in lines:
            stamped = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {line}\n"
            os.write(self.descriptor, stamped.encode(errors="replace"))
        return len(text)


def main(arguments: list[str]) -> None:
    """Run ``manage.py`` with ``arguments`` as cron would."""
    keep_small(LOG)
    os.chdir(ROOT)
    sys.path[0] = str(ROOT)
    os.environ.setdefault("DJAMON_TRIGGER", "cron")
    sys.stdout, sys.stderr = StampedLines(sys.stdout.fileno()), StampedLines(sys.stderr.fileno())
    import manage  # noqa: PLC0415  (found only once the path is set)

    sys.argv = ["manage.py", *(arguments or ["probe"])]
    try:
        manage.main()
    except SystemExit as end:
        if isinstance(end.code, str):  # the interpreter would print it past our stream
            sys.stderr.write(f"{end.code}\n")
            sys.exit(1)
        raise


def keep_small(log: Path) -> None:
    """Start a new log where the old one has reached its limit; the shell has this run's already open."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    except OSError:
        return  # no log yet, or cron writes elsewhere


if __name__ == "__main__":
    main(sys.argv[1:])
