"""How long the JSON of timings takes, with a million calls of one key and a thousand keys behind it.

Real uvicorn on one core, a browser that has logged in on the other, as of the pages. ``python -m
benchmarks.timings_read --fill SIZE`` fills the installation that DATABASE_URL names, by the receiver's own
store, in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from urllib.parse import urlencode

from benchmarks import installation, machine
from benchmarks.installation import Installation
from benchmarks.pages import plain
from benchmarks.report import REPEATS, Goal, Line, quick_wanted, show, step
from benchmarks.web import Browser, add_user, serving
from timings.wire import Sample

CALLS, QUICK_CALLS = 1_000_000, 20_000
KEYS = 1000
CALLS_A_KEY = 300
HOUR_S, YEAR_S = 3600, 365 * 86_400
WARM_REPEATS = 3 * REPEATS
BATCH = 50_000
DENSE, SPARSE = "shop.py-each_second", "shop.py-all_year"
FILL = "--fill"


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    path: str
    goal: Goal | None = None


def main() -> None:
    if FILL in sys.argv:
        fill(int(sys.argv[-1]))
        return
    quick = quick_wanted(__doc__)
    machine.stay_on(machine.cores().other)
    calls = QUICK_CALLS if quick else CALLS
    with installation.folder() as folder:
        with installation.on_sqlite(folder) as found:
            measure(found, calls)
        if server := installation.postgresql_server():
            with installation.on_postgresql(folder, server) as found:
                measure(found, calls)
        else:
            print(f"\nOn PostgreSQL: skipped, {installation.SERVER_VARIABLE} is not set.")


def measure(found: Installation, calls: int) -> None:
    step(f"{found.store}: two keys with {calls:,} calls each, {KEYS:,} with {CALLS_A_KEY}")
    begin = int(time.time())
    found.python("-m", "benchmarks.timings_read", FILL, str(calls))
    add_user(found)
    found.manage("collectstatic", "--noinput", "-v0")
    with serving(found, machine.cores().measured) as web:
        browser = Browser(web.port)
        browser.log_in()
        program = Browser(web.port, browser.cookies, encoding="identity")
        step(f"{found.store}: asking")
        asked = questions(begin)
        lines = [line_of(program, each) for each in asked]
        packed = [
            line_of(browser, Question(f"the same, packed by gzip: {each.name}", each.path)) for each in asked
        ]
        sizes = ", ".join(f"{program.get(each.path).size / 1000:,.0f} kB" for each in asked)
    show(
        f"JSON of timings on {found.store}",
        lines + packed,
        notes=[
            f"“Dense” has {calls:,} calls, one each second; “all year” as many, evenly over 365 days. "
            f"Size of each answer: {sizes}. The first rows are as a program asks, the others as a browser "
            "does, which takes gzip.",
        ],
    )


def questions(now_s: int) -> list[Question]:
    hour = {"start_time": now_s - HOUR_S, "end_time": now_s - 1}
    year = {"start_time": now_s - YEAR_S, "end_time": now_s - 1, "buckets": 1000}
    calls = urlencode({"key": DENSE, **hour, "limit": 10_000})
    dense, sparse = urlencode({"key": DENSE, **year}), urlencode({"key": SPARSE, **year})
    last_hour = urlencode({"key": DENSE, **hour, "buckets": 1000})
    return [
        Question("dense: the calls of an hour", f"/api/v1/keys/execution_times/?{calls}", Goal(10)),
        Question("dense: an hour in up to 1,000 buckets", f"/api/v1/keys/summary/?{last_hour}"),
        Question("dense: a year in up to 1,000 buckets", f"/api/v1/keys/summary/?{dense}", Goal(30)),
        Question("all year: a year in up to 1,000 buckets", f"/api/v1/keys/summary/?{sparse}", Goal(30)),
        Question(f"{KEYS:,} keys with detail", "/api/v1/keys/?detail=1", Goal(50)),
        Question(f"{KEYS:,} keys", "/api/v1/keys/"),
        Question("the page of keys", "/timings/"),
    ]


def line_of(browser: Browser, question: Question) -> Line:
    """The second answer and those that follow."""
    found = [browser.get(question.path) for _ in range(1 + WARM_REPEATS)]
    if wrong := {answer.status for answer in found} - {200}:
        raise SystemExit(f"bench: {question.path} was answered with {wrong}")
    return Line(
        question.name + counted(plain(found[0].body)), [each.ms for each in found[1:]], "ms", question.goal
    )


def counted(body: bytes) -> str:
    """What the answer holds, so that one sees that it is all there."""
    if body.startswith(b"<") or not body.strip():
        return ""
    told = json.loads(body)
    for name in ("execution_times", "buckets"):
        if name in told:
            return f" ({len(told[name]):,})"
    return f" ({len(told):,})"


def fill(calls: int) -> None:
    """By the store of the receiver, in its batches."""
    import django  # noqa: PLC0415 - the settings are those of the installation that is to be filled

    django.setup()
    from timings.calls import Calls  # noqa: PLC0415
    from timings.store import Store  # noqa: PLC0415

    store, waiting = Store(10 * KEYS), messages(calls, int(time.time()))
    while batch := list(islice(waiting, BATCH)):
        store.write(Calls(batch))


def messages(calls: int, now_s: int) -> Iterator[Sample]:
    chance = Random(1)
    times = [chance.lognormvariate(-5, 1) for _ in range(4096)]
    for number in range(calls):
        yield Sample(DENSE, "test-token", now_s - calls + number, times[number % 4096])
    for number in range(calls):
        at = now_s - YEAR_S + number * YEAR_S // calls
        yield Sample(SPARSE, "test-token", at, times[number % 4096])
    for number in range(KEYS * CALLS_A_KEY):
        key = f"shop.py-function_{number % KEYS:03}"
        yield Sample(key, "test-token", now_s - number % 7200, times[number % 4095] * (1 + number % KEYS))


if __name__ == "__main__":
    main()
