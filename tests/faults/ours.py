"""Our own side breaks: one sweep as the command makes it, under a fault of this machine. Needs Django.

Each fault says what it may do to a site: :data:`tests.faults.model.UNTOUCHED` where nothing may be recorded.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import time_machine
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from alerts.models import Alert
from djamon.lib.commands import DjamonError
from jobs.models import JobRun, Lease
from jobs.runner import run_job
from monitor import sweep
from monitor.due import Selection
from monitor.models import Group, Outage, Site
from tests.faults import plan
from tests.faults.model import BAD, BAD_OR_UNTOUCHED, GOOD_OR_UNTOUCHED, UNTOUCHED, Model, Standing
from tests.faults.world import World

Effects = dict[int, Set[str]]


def prepare() -> None:
    """An empty installation with one site of each number."""
    logging.disable(logging.CRITICAL)  # faults are what this is about
    call_command("migrate", verbosity=0)
    group = Group.objects.create(name="All", slug="all")
    Site.objects.bulk_create(
        Site(pk=n + 1, group=group, name=f"s{n}", slug=f"s{n}", url=plan.url(n)) for n in range(plan.SITES)
    )


def standings() -> dict[int, Standing]:
    rows = Site.objects.values_list("pk", "failures", "state")
    return {key - 1: (failures, state == "down") for key, failures, state in rows}


def reasons() -> str:
    """What the failing sites are said to suffer from."""
    rows = Site.objects.exclude(failures=0).values_list("name", "last_reason")
    return "; ".join(f"{name}: {reason}" for name, reason in rows)


def compare(model: Model) -> list[str]:
    """What is wrong with the outages and the alerts."""
    told = model.told
    wanted = {
        "outages": (Outage.objects.count(), model.outages),
        "open outages": (Outage.objects.filter(resolved_at=None).count(), int(model.is_open)),
        "alerts of falls": (Alert.objects.filter(subject__startswith="Down: ").count(), told.down),
        "alerts of more falls": (
            Alert.objects.filter(subject__startswith="Also down").count(),
            told.also_down,
        ),
        "alerts of ends": (Alert.objects.filter(subject__startswith="Up again").count(), told.up_again),
    }
    return [f"{what}: {is_} instead of {must}" for what, (is_, must) in wanted.items() if is_ != must]


# --- Faults --------------------------------------------------------------------------------------
class Hooks:
    """What happens when the run has got its first answer: the fault comes in the middle."""

    def __init__(self) -> None:
        self.at_first: list[Callable[[], object]] = []

    def __call__(self) -> None:
        actions, self.at_first = self.at_first, []
        for action in actions:
            action()


class Trouble:
    """Chooses the fault of each run; one stays for some runs, so that it has the time for three strikes."""

    def __init__(self, chance: random.Random, here: World) -> None:
        self.chance, self.here = chance, here
        self.counts: Counter[str] = Counter()
        self.now, self.left = "none", 0
        self.shift = timedelta(0)

    def next(self) -> str:
        if not self.left:
            self.now = self.chance.choice(("none", *FAULTS))
            self.left = self.chance.choice((1, 1, 2, 3, 4))
        self.left -= 1
        self.counts[self.now] += 1
        return self.now


def told(trouble: Trouble) -> str:
    faults = {what: n for what, n in sorted(trouble.counts.items()) if what != "none"}
    return f"{sum(faults.values())} ({', '.join(f'{n} {what}' for what, n in faults.items())})"


Fault = Callable[[Trouble, Hooks], AbstractContextManager[Callable[[int, Set[str]], Set[str]]]]


def untouched(_number: int, _effect: Set[str]) -> Set[str]:
    return UNTOUCHED


def perhaps(_number: int, effect: Set[str]) -> Set[str]:
    """A run that was cut short: what it recorded is true, but it need not have recorded anything."""
    return BAD_OR_UNTOUCHED if effect == BAD else GOOD_OR_UNTOUCHED


def as_usual(_number: int, effect: Set[str]) -> Set[str]:
    return effect


@contextmanager
def link_down_before(trouble: Trouble, _hooks: Hooks) -> Any:
    how = trouble.chance.choice(("near", "far"))
    trouble.here.cut(how)
    yield untouched
    trouble.here.mend(how)


@contextmanager
def link_lost_during(trouble: Trouble, _hooks: Hooks) -> Any:
    """At any time of the run, and until its end."""
    timer = threading.Timer(trouble.chance.uniform(0, 0.12), trouble.here.cut, ["near"])
    timer.start()
    yield perhaps
    timer.join()
    trouble.here.mend("near")


@contextmanager
def link_down_between(trouble: Trouble, _hooks: Hooks) -> Any:
    """After a run and until the next: nobody may notice."""
    trouble.here.cut("near")
    trouble.here.mend("near")
    yield as_usual
    trouble.here.cut("far")
    trouble.here.mend("far")


@contextmanager
def _names(trouble: Trouble, how: str) -> Any:
    trouble.here.tell(do="names", how=how)
    yield lambda number, effect: UNTOUCHED if plan.kind(number).named else effect
    trouble.here.tell(do="names", how="good")


def names_silent(trouble: Trouble, _hooks: Hooks) -> Any:
    return _names(trouble, "silent")


def names_refused(trouble: Trouble, _hooks: Hooks) -> Any:
    return _names(trouble, "refuse")


def names_failing(trouble: Trouble, _hooks: Hooks) -> Any:
    return _names(trouble, "fail")


@contextmanager
def names_slow(trouble: Trouble, _hooks: Hooks) -> Any:
    """Each answer takes half of the time that it may take."""
    trouble.here.tell(do="names", how="slow")
    yield as_usual
    trouble.here.tell(do="names", how="good")


@contextmanager
def names_unroutable(trouble: Trouble, _hooks: Hooks) -> Any:
    """The name servers of another network than the one that we are in."""
    trouble.here.use_name_servers(plan.UNROUTABLE)
    yield lambda number, effect: UNTOUCHED if plan.kind(number).named else effect
    trouble.here.use_name_servers(plan.NAME_SERVERS)


@contextmanager
def _one_family_left(trouble: Trouble, gone: int) -> Any:
    trouble.here.take_address(gone)
    lost = (f"v{gone}",)

    def change(number: int, effect: Set[str]) -> Set[str]:
        if plan.kind(number).families != lost:
            return effect
        return BAD_OR_UNTOUCHED if effect == BAD else UNTOUCHED  # its name may be what is broken

    yield change
    trouble.here.give_address(gone)


def only_ipv6(trouble: Trouble, _hooks: Hooks) -> Any:
    return _one_family_left(trouble, 4)


def only_ipv4(trouble: Trouble, _hooks: Hooks) -> Any:
    return _one_family_left(trouble, 6)


@contextmanager
def few_descriptors(trouble: Trouble, _hooks: Hooks) -> Any:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + trouble.chance.randint(1, 16), hard))
    try:
        yield perhaps
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def database_locked(trouble: Trouble, hooks: Hooks) -> Any:
    """Another writer holds the database: from before the run, or from its first answer on."""
    other = connections.create_connection("default")

    def lock() -> None:
        other.cursor().execute("BEGIN IMMEDIATE")

    if trouble.chance.random() < 0.5:
        lock()
    else:
        hooks.at_first.append(lock)
    try:
        yield perhaps
    finally:
        other.close()


@contextmanager
def lease_lost(_trouble: Trouble, hooks: Hooks) -> Any:
    """A second machine takes this one for dead in the middle of its run."""

    def steal() -> None:
        lease = Lease.objects.get(name="probe")
        Lease.objects.filter(name="probe").update(fence=lease.fence + 1, holder="", host="elsewhere", pid=1)

    hooks.at_first.append(steal)
    yield untouched


@contextmanager
def clock_set(trouble: Trouble, _hooks: Hooks) -> Any:
    trouble.shift += trouble.chance.choice((timedelta(hours=-1), timedelta(days=1), timedelta(seconds=-30)))
    yield as_usual


@contextmanager
def clock_jumps(trouble: Trouble, hooks: Hooks) -> Any:
    """A day ahead in the middle of the run: what it measured is a day old, and its lease is over."""
    with ExitStack() as stack:
        hooks.at_first.append(
            lambda: stack.enter_context(time_machine.travel(timezone.now() + timedelta(days=1), tick=True))
        )
        yield untouched
    trouble.shift += timedelta(seconds=1)


FAULTS: dict[str, Fault] = {
    "link down before": link_down_before,
    "link lost during": link_lost_during,
    "link down between runs": link_down_between,
    "name server silent": names_silent,
    "name server refuses": names_refused,
    "name server fails": names_failing,
    "name server slow": names_slow,
    "name server without a route": names_unroutable,
    "only IPv6 left": only_ipv6,
    "only IPv4 left": only_ipv4,
    "few descriptors": few_descriptors,
    "database locked": database_locked,
    "lease lost": lease_lost,
    "clock set": clock_set,
    "clock jumps a day": clock_jumps,
}
ENDED = "ended by"
# After these a run may end before its time; the others it must get over.
CUT_SHORT = {
    "link down before",
    "link lost during",
    "few descriptors",
    "database locked",
    "lease lost",
    "clock jumps a day",
}


# --- A run ---------------------------------------------------------------------------------------
def one_run(effects: Mapping[int, Set[str]], trouble: Trouble | None) -> tuple[Effects, str]:
    """One sweep under the job's lease; gives what it may have done to each site, and what it said."""
    hooks = Hooks()
    if trouble is None:
        return dict(effects), f"none: {_sweep(hooks)}"
    what = trouble.next()
    fault = FAULTS.get(what, lambda *_: _nothing())
    with time_machine.travel(timezone.now() + trouble.shift, tick=True):
        with fault(trouble, hooks) as change:
            said = _sweep(hooks)
        _bury()
        changed = {number: change(number, effect) for number, effect in effects.items()}
    return changed, f"{what}: {said}"


def unfounded(said: str) -> list[str]:
    """A run that blames this machine, or breaks off, where no fault was made that could be the cause."""
    what, _, words = said.partition(": ")
    return ["the run ended without a cause"] if words.startswith(ENDED) and what not in CUT_SHORT else []


@contextmanager
def _nothing() -> Any:
    yield as_usual


def _sweep(hooks: Hooks) -> str:
    def work(context: Any) -> str:
        report = context.progress

        def progress(*words: Any) -> None:
            report(*words)
            hooks()

        context.progress = progress
        return sweep.sweep(context, Selection())

    try:
        return run_job("probe", work).message
    except (DjamonError, DatabaseError, OSError) as error:
        return f"{ENDED} {type(error).__name__}: {error}"
    finally:
        connection.close()


def _bury() -> None:
    """In life the process has ended by now, which the next one sees; here it is the same one."""
    JobRun.objects.filter(state="running").update(state="died")
    Lease.objects.update(expires=None)
