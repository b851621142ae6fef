"""Makes rows of a sketch: people, job runs, sites, results, sums, outages and who was told of them.

``python -m tests.browser little`` fills the database of the environment. It is a process of its own, because
the one that drives a browser runs an event loop, beside which Django's ORM refuses to work. The rows are the
same each time but for the clock.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from alerts.models import Alert, Attempt, Delivery
from djamon.schedule import JOBS
from jobs.models import Checkpoint, JobRun, Lease
from monitor import recent
from monitor.messages import reference
from monitor.models import Group, Outage, OutageNote, OutageSites, Site, SiteDay, SiteHour, SiteView
from monitor.verdicts import Verdict
from tests.browser.sketches import PASSWORD, Function, Size, Sketch
from timings.calls import Calls
from timings.models import Receiver
from timings.store import Store
from timings.wire import Sample

RUN = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AHEAD = timedelta(minutes=20)
# How a good answer's time is split up.
PARTS = {"lookup_ms": 0.05, "connect_ms": 0.2, "tls_ms": 0.25, "wait_ms": 0.5}
REASONS = (
    "connection refused",
    "no answer within 5 s",
    "HTTP 503 Service Unavailable",
    "HTTP 500 Internal Server Error",
)


def fill(size: Size, now: datetime) -> None:
    dice = random.Random(7)
    _people(size)
    _runs(now)
    sites = list(_sites(size, now))
    views: list[SiteView] = []
    for sketch, site in sites:
        made = list(_views(sketch, site, size.views, now, dice))
        _set_last(sketch, site, made)
        views += made
    SiteView.objects.bulk_create(views, batch_size=2000)
    _store_states([site for _, site in sites])
    _sums(sites, size.days, now, dice)
    _outages(sites, size.outages, now, dice)
    _calls(size.functions, now, dice)


# --- People, jobs, sites --------------------------------------------------------------------------
def _people(size: Size) -> None:
    for name, staff in size.people.items():
        User.objects.create_user(name, password=PASSWORD, is_staff=staff, is_superuser=staff)


def _runs(now: datetime) -> None:
    """Each job ran, the last time a little ahead of the clock: nothing gets late while tests look at it."""
    for job in JOBS:
        for ago in (2 * RUN, RUN, timedelta(), -AHEAD):
            run = JobRun.objects.create(
                name=job.name,
                trigger="calendar",
                state="done",
                message="done",
                started=now - ago,
                finished=now - ago + timedelta(seconds=1),
                host="example",
                pid=1,
                fence=1,
            )
        Lease.objects.create(name=job.name, fence=1, latest_run=run, latest_finished=run)


def _sites(size: Size, now: datetime) -> Iterator[tuple[Sketch, Site]]:
    for at, (name, sketches) in enumerate(size.groups.items()):
        group = Group.objects.create(name=name, slug=f"group-{at + 1}", internal=name in size.internal)
        made = [_site(group, f"site-{at + 1}-{i + 1}", sketch) for i, sketch in enumerate(sketches)]
        yield from zip(sketches, Site.objects.bulk_create(made), strict=True)


def _site(group: Group, slug: str, sketch: Sketch) -> Site:
    url = f"https://www.example.org/{slug}"
    return Site(group=group, name=sketch.name, slug=slug, url=url, enabled=sketch.fares != "paused")


# --- Results --------------------------------------------------------------------------------------
def _views(sketch: Sketch, site: Site, number: int, now: datetime, dice: random.Random) -> Iterator[SiteView]:
    """The site's results, the oldest first, one a run; none where it was never asked."""
    if sketch.fares == "unknown":
        return
    end = now - timedelta(hours=3) if sketch.fares == "old" else now
    for step in reversed(range(number)):
        date = end - step * RUN
        if dice.random() < 0.004:
            yield _unknown(site, date)
        elif _is_down(sketch, date, now):
            yield _bad(site, date)
        else:
            yield _good(site, date, _ms(sketch, date, dice))


def _unknown(site: Site, date: datetime) -> SiteView:
    reason = "our name server was silent"
    return SiteView(
        site=site, date=date, verdict=Verdict.INCONCLUSIVE, reason=reason, verb="HEAD", total_ms=0
    )


def _bad(site: Site, date: datetime) -> SiteView:
    reason = REASONS[site.pk % len(REASONS)]
    code = int(reason[5:8]) if reason.startswith("HTTP") else None
    ms = 5000 if reason.startswith("no answer") else 12
    return SiteView(
        site=site, date=date, verdict=Verdict.DOWN, code=code, reason=reason, verb="HEAD", total_ms=ms
    )


def _good(site: Site, date: datetime, ms: float) -> SiteView:
    return SiteView(
        site=site,
        date=date,
        verdict=Verdict.UP,
        code=200,
        reason="HTTP 200 OK",
        verb="HEAD",
        total_ms=ms,
        **{name: ms * part for name, part in PARTS.items()},
    )


def _ms(sketch: Sketch, at: datetime, dice: random.Random) -> float:
    """Slower by day than by night, with some noise and a rare slow answer."""
    by_day = 1 + 0.35 * math.sin((at.hour + at.minute / 60 - 8) / 24 * 2 * math.pi)
    return sketch.ms * by_day * dice.uniform(0.9, 1.15) * (3 if dice.random() < 0.01 else 1)


def _is_down(sketch: Sketch, at: datetime, now: datetime) -> bool:
    if sketch.fares == "down" and at > now - sketch.fell_ago:
        return True
    if sketch.fares == "failing" and at > now - RUN:
        return True
    return any(now - ago <= at < now - ago + lasted for ago, lasted in sketch.falls)


def _set_last(sketch: Sketch, site: Site, views: list[SiteView]) -> None:
    """What a run leaves on the site's own row."""
    if not views:
        return
    site.state = sketch.fares if sketch.fares in {"down", "failing"} else "up"
    last = views[-1]
    bad = [view.date for view in views if view.verdict == Verdict.DOWN]
    lately = [date for date in bad if date > last.date - sketch.fell_ago]
    site.failures = len(lately) if site.state != "up" else 0
    site.state_since = lately[0] if site.failures else views[0].date - 9 * DAY
    site.last_checked, site.last_verdict, site.last_code = last.date, last.verdict, last.code
    site.last_reason, site.last_ms = last.reason, last.total_ms
    site.certificate_ends, site.certificate_read = last.date + 47 * DAY, last.date
    for view in views[-recent.KEPT :]:
        site.recent = recent.appended(site.recent, Verdict(view.verdict), view.total_ms)


def _store_states(sites: list[Site]) -> None:
    fields = ["state", "failures", "state_since", "last_checked", "last_verdict", "last_code", "last_reason"]
    Site.objects.bulk_update(
        sites, [*fields, "last_ms", "recent", "certificate_ends", "certificate_read"], batch_size=100
    )


# --- Sums -----------------------------------------------------------------------------------------
def _sums(sites: Iterable[tuple[Sketch, Site]], days: int, now: datetime, dice: random.Random) -> None:
    """Hours and days as the roll-up would have left them."""
    if not days:
        return
    end = now.replace(minute=0, second=0, microsecond=0)
    first = (end - days * DAY).replace(hour=0)
    hours: list[SiteHour] = []
    whole: list[SiteDay] = []
    for sketch, site in sites:
        if sketch.fares == "unknown":
            continue
        own = [_hour(sketch, site, first + step * HOUR, now, dice) for step in range((end - first) // HOUR)]
        hours += own
        whole += [_day(own[at : at + 24]) for at in range(0, len(own), 24)]
    SiteHour.objects.bulk_create(hours, batch_size=2000)
    SiteDay.objects.bulk_create(whole, batch_size=2000)
    Checkpoint.objects.create(job="roll_up", key="rolled until", value=end.isoformat())


def _hour(sketch: Sketch, site: Site, hour: datetime, now: datetime, dice: random.Random) -> Any:
    down = sum(_is_down(sketch, hour + step * RUN, now) for step in range(12))
    up, ms = 12 - down, _ms(sketch, hour, dice)
    tally = {"runs": 12, "up": up, "down": down, "inconclusive": 0, "expected": 12.0}
    extremes = {"ms_min": ms * 0.8, "ms_max": ms * 1.6} if up else {}
    phases = {f"{name}_sum": ms * up * part for name, part in PARTS.items()} if up else {}
    return SiteHour(site=site, hour=hour, ms_sum=ms * up, **tally, **extremes, **phases)


def _day(hours: list[Any]) -> Any:
    names = ("runs", "up", "down", "inconclusive", "expected", "ms_sum")
    low = [hour.ms_min for hour in hours if hour.ms_min is not None]
    high = [hour.ms_max for hour in hours if hour.ms_max is not None]
    return SiteDay(
        site=hours[0].site,
        day=hours[0].hour.date(),
        ms_min=min(low, default=None),
        ms_max=max(high, default=None),
        **{name: sum(getattr(hour, name) for hour in hours) for name in names},
    )


# --- Outages --------------------------------------------------------------------------------------
def _outages(sites: list[tuple[Sketch, Site]], number: int, now: datetime, dice: random.Random) -> None:
    """Old outages of sites that take turns, those that the sketches name, and the open one last."""
    known = [site for sketch, site in sites if sketch.fares != "unknown"]
    for at in range(number):
        fallen = dice.sample(known, min(len(known), 1 + at % 4))
        begun = now - (number - at) * timedelta(hours=37)
        _outage([(site, begun) for site in fallen], begun + (1 + at % 7) * 2 * RUN)
    told: dict[timedelta, list[tuple[Site, timedelta]]] = {}
    for sketch, site in sites:
        for ago, lasted in sketch.falls:
            told.setdefault(ago, []).append((site, lasted))
    for ago, falls in sorted(told.items(), reverse=True):
        _outage([(site, now - ago) for site, _ in falls], now - ago + max(lasted for _, lasted in falls))
    open_falls = [(site, site.state_since or now) for sketch, site in sites if sketch.fares == "down"]
    if open_falls:
        _outage(open_falls, None)


def _outage(falls: list[tuple[Site, datetime]], over: datetime | None) -> None:
    begun = min(fell for _, fell in falls)
    outage = Outage.objects.create(opened_at=begun, resolved_at=over)
    ending = "back" if over else ""
    OutageSites.objects.bulk_create(
        OutageSites(
            outage=outage,
            site=site,
            site_name=site.name,
            site_url=site.url,
            fell_at=fell,
            reason=REASONS[site.pk % len(REASONS)],
            strikes=3,
            back_at=over,
            ending=ending,
        )
        for site, fell in falls
    )
    names = " and ".join(site.name for site, _ in falls[:2])
    down = _tell(outage, f"Down: {names}"[:200], begun + 2 * RUN)
    OutageSites.objects.filter(outage=outage).update(alert=down)
    if over:
        _tell(outage, f"Up again: {names}"[:200], over)
        author = User.objects.get(username="admin")
        text = "The disk of the database was full.\nLog rotation was off since the move; it is on again."
        OutageNote.objects.create(
            outage=outage, author=author, author_name="admin", text=text, created=over + RUN
        )


def _tell(outage: Outage, subject: str, at: datetime) -> Alert:
    """One alert to two addresses, one of which needed a second try."""
    alert = Alert.objects.create(
        reference=reference(outage.pk),
        subject=subject,
        text=subject,
        html=subject,
        created=at,
        expires=at + DAY,
    )
    for address, tries in (("ops@example.org", 1), ("boss@example.org", 2)):
        sent = at + tries * timedelta(seconds=40)
        delivery = Delivery.objects.create(
            alert=alert,
            channel="email",
            address=address,
            state="sent",
            tries=tries,
            next_try=at,
            sent_at=sent,
        )
        if tries == 2:
            Attempt.objects.create(
                delivery=delivery, at=at, ok=False, result="451 4.7.1 try again later", elapsed_ms=35
            )
        Attempt.objects.create(delivery=delivery, at=sent, ok=True, result="250 OK", elapsed_ms=21)
    return alert


# --- Timings --------------------------------------------------------------------------------------
def _calls(functions: Iterable[Function], now: datetime, dice: random.Random) -> None:
    """Of the last day, most of them of the last hours, as a receiver would have stored them."""
    samples = [_call(function, now, dice) for function in functions for _ in range(function.calls)]
    if samples:
        Store(10_000).write(Calls(samples))
        figures = {"received": len(samples) + 2, "stored": len(samples), "refused": {"not JSON": 2}}
        Receiver.objects.create(address="127.0.0.1:4000", started=now, updated=now, **figures)


def _call(function: Function, now: datetime, dice: random.Random) -> Sample:
    age_s = int(DAY.total_seconds() * dice.random() ** 2)
    busy = 1.6 if age_s < 40 * 60 and function.ms > 100 else 1.0
    ms = function.ms * dice.lognormvariate(0, 0.35) * busy * (4 if dice.random() < 0.01 else 1)
    extra = f'{{"user":"{dice.choice(("Ann", "Ben", "Cem"))}","items":{dice.randrange(1, 9)}}}'
    return Sample(function.key, function.token, int(now.timestamp()) - age_s, ms / 1000, extra)
