"""Commands that die at a chosen step, each in a process of its own: ``python -m tests.faults.steps``.

A step boundary is the call and the return of every function of the sweep, the recording, the leases and the
sending, of every SQL statement and commit, and of every line said to a mail server or to X. This process
imports Django once and forks for each command, so that thousands of kills take minutes.

One JSON order a line: ``{"words": ["probe"], "kill_at": 17, "ahead_s": 0}`` (-1: only count); answered by
``{"status": -9, "steps": 17, "last": "return jobs.leases.acquire", "said": "…"}``.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import sys
import threading
import traceback
from datetime import timedelta
from types import CodeType, FrameType
from typing import Any

import django

OWN = ("monitor.", "alerts.", "jobs.")
TOO_FINE = ("monitor.probe.", "monitor.messages", "monitor.strikes", "monitor.recent", "monitor.models")
SQL = {"_execute", "_executemany", "_commit", "_rollback"}
TALK = {"putcmd", "getreply", "send", "getresponse", "connect", "close"}


class Steps:
    """A profile function that counts boundaries and kills its own process at one of them."""

    def __init__(self, kill_at: int, report: int) -> None:
        self.kill_at, self.report = kill_at, report
        self.count = 0
        self.has_ended = False
        self.known: dict[CodeType, str] = {}
        self.lock = threading.Lock()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event not in ("call", "return"):
            return
        name = self.known.get(frame.f_code)
        if name is None:
            name = self.known[frame.f_code] = _name(frame)
        if name:
            with self.lock:
                self._step(f"{event} {name}")

    def _step(self, what: str) -> None:
        if self.has_ended:  # a thread that nobody waits for any more still says good-bye to a server
            return
        self.count += 1
        if self.count == self.kill_at:
            self._tell(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def end(self, said: str) -> None:
        """The command is over: there is one report, and no kill after it."""
        with self.lock:
            self.has_ended = True
            self._tell("end", said)

    def _tell(self, last: str, said: str = "") -> None:
        os.write(self.report, json.dumps({"steps": self.count, "last": last, "said": said}).encode())


def _name(frame: FrameType) -> str:
    """``module.function`` where its call and return are boundaries, else nothing."""
    module, function = str(frame.f_globals.get("__name__", "")), frame.f_code.co_name
    counts = (
        (module.startswith(OWN) and not module.startswith(TOO_FINE) and not function.startswith("<"))
        or (module.startswith("django.db.backends") and function in SQL)
        or (module in ("smtplib", "http.client") and function in TALK)
    )
    return f"{module}.{function}" if counts else ""


def command(words: list[str], steps: Steps, ahead_s: float) -> None:
    """In the child: the command, with its steps counted, ``ahead_s`` seconds later than now."""
    import time_machine  # noqa: PLC0415
    from django.core.management import CommandError, call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    out = io.StringIO()
    with time_machine.travel(timezone.now() + timedelta(seconds=ahead_s), tick=True):
        if steps.kill_at:
            threading.setprofile(steps)
            sys.setprofile(steps)
        try:
            call_command(*words, stdout=out)
        except CommandError as error:
            out.write(f"CommandError: {error}")
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    steps.end(out.getvalue())


def enqueue(number: int, reference: int, ahead_s: float) -> None:
    """In the child: write an alert, as a sweep does."""
    from django.utils import timezone  # noqa: PLC0415

    from alerts.outbox import AlertDraft, enqueue  # noqa: PLC0415

    words = f"#{number:05}"
    draft = AlertDraft(f"outage:{reference}", words, words, f"<p>{words}</p>", words)
    enqueue(draft, timezone.now() + timedelta(seconds=ahead_s))


def warm(words: list[str]) -> None:
    """Run the command here: what it imports and prepares, each child then has and need not pay for."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    call_command(*words, stdout=io.StringIO())
    connections.close_all()
    gc.collect()
    gc.freeze()


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Fork, let it run or die, collect what it told."""
    if "warm" in order:
        warm(order["warm"])
        return {"status": 0}
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if "enqueue" in order:
                enqueue(order["enqueue"], order["reference"], order["ahead_s"])
            else:
                command(order["words"], Steps(order["kill_at"], writer), order["ahead_s"])
            status = 0
        finally:
            if status:  # nobody expected it: the driver must say so, and why
                traceback.print_exc()
            os._exit(status)
    os.close(writer)
    told = b""
    while piece := os.read(reader, 65536):
        told += piece
    os.close(reader)
    _, status = os.waitpid(child, 0)
    report: dict[str, Any] = json.loads(told or "{}")
    return report | {"status": os.waitstatus_to_exitcode(status)}


def main() -> None:
    django.setup()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
