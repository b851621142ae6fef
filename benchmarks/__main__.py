"""``python -m benchmarks [--quick]``: all of them in turn; at the end what failed and what was missed.

Each is a process of its own with a time limit; one that fails does not keep the others from being run.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.installation import ROOT, SERVER_VARIABLE, postgresql_server
from benchmarks.report import quick_wanted

LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class Part:
    """A program of this package, and what it is about."""

    module: str
    about: str
    limit_s: float = LIMIT_S


PARTS = (
    Part("start", "manage.py probe with ten sites"),
    Part("sweep", "10,000 sites beside prometheus-blackbox-exporter, HTTP and HTTPS"),
    Part("profile", "where the time of a sweep goes"),
    Part("slow", "2,000 sites of which some never answer"),
    Part("accuracy", "stored times beside the server's own"),
    Part("pages", "pages with 90 days of history"),
    Part("live", "200 browsers with home open"),
    Part("firstload", "the first load of home in Chromium"),
    Part("decorator", "what @kodemon adds to a call"),
    Part("timings_receive", "calls stored a second, beside InfluxDB and carbon", limit_s=2700),
    Part("timings_read", "the JSON of timings with a million calls"),
)


def main() -> None:
    quick, begin = quick_wanted(__doc__), time.monotonic()
    if not postgresql_server():
        print(f"\n{SERVER_VARIABLE} is not set: SQLite alone. (postgres://user:password@host:5432/postgres)")
    missed: list[str] = []
    failed: list[str] = []
    for number, part in enumerate(PARTS, 1):
        print(f"\n## {number} of {len(PARTS)}: {part.about}", flush=True)
        if find_spec(f"benchmarks.{part.module}") is None:
            print(f"\nSkipped: there is no benchmarks/{part.module}.py.")
            continue
        for line in _lines_of(part, failed, quick=quick):
            print(line, end="", flush=True)
            if line.rstrip().endswith("| missed |"):
                missed.append(f"{part.module}: {line.split('|')[1].strip()}")
    print(f"\n## Summary, after {(time.monotonic() - begin) / 60:.0f} minutes")
    print(f"\nGoals missed: {len(missed)}.", *[f"- {words}" for words in missed], sep="\n")
    print(f"\nPrograms that failed: {', '.join(failed) or 'none'}.")
    sys.exit(1 if failed else 0)


def _lines_of(part: Part, failed: list[str], *, quick: bool) -> Iterator[str]:
    """What it prints, as it prints it; what it tells of its progress goes past us to the terminal."""
    argv = [sys.executable, "-m", f"benchmarks.{part.module}", *(["--quick"] if quick else [])]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        # At SIGTERM it ends the processes that it started.
        watchdog = threading.Timer(part.limit_s, process.terminate)
        watchdog.start()
        try:
            assert process.stdout is not None
            yield from process.stdout
        except BaseException:
            process.terminate()
            raise
        finally:
            watchdog.cancel()
    if process.returncode:
        failed.append(part.module)


if __name__ == "__main__":
    main()
