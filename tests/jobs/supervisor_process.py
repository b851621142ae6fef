"""A supervisor as a process of its own; its children are given as JSON {name: Python code}."""

from __future__ import annotations

import json
import sys

from djamon.lib.signals import Signals
from jobs.child import Child, Service
from jobs.supervisor import Announcement, Supervisor


def main() -> None:
    given = json.loads(sys.argv[1])
    children = [
        Child(Service(name, (sys.executable, "-c", code)), pauses_s=(0.05, 0.1, 0.2))
        for name, code in given.items()
    ]
    with Signals() as signals:
        Supervisor(children, signals, sys.stdout, Announcement("all is well", lambda: True)).run()


main()
