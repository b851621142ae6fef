"""A large and plausible history: sites, views, roll-ups, outages, alerts. Made by rule, not by chance.

``python -m benchmarks.history`` fills the installation that DATABASE_URL names, in a process of its own: it
needs more memory than whoever measures may hold.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.installation import Installation
from benchmarks.rows import Writer, writer
from monitor.recent import KEPT, LETTERS
from monitor.verdicts import Verdict

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SITES_DOWN = 3  # in the outage that is open
LARGE_GROUP = 100
CONNECT_MS = 0.4
ADDRESS = "http://127.1.{}.{}:9/"  # changed to where something listens before a run


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. ``hour_days``: how far back the sums by hour go; those by day go ``days``."""

    sites: int
    groups: int
    views: int
    days: int = 90
    hour_days: int = 90
    outages: int = 5000


HOME = Plan(sites=1000, groups=20, views=3_000_000)
FEW = Plan(sites=10, groups=2, views=30_000)
MANY = Plan(sites=10_000, groups=20, views=400_000, hour_days=2, outages=500)
QUICK = Plan(sites=40, groups=4, views=4000, days=8, hour_days=3, outages=30)


def fill(writer: Writer, plan: Plan, now: datetime) -> None:
    """Write all of it, the last run having ended just before ``now``."""
    History(writer, plan, now).write()


class History:
    def __init__(self, writer: Writer, plan: Plan, now: datetime) -> None:
        self._writer = writer
        self._plan = plan
        self._now = now
        self._random = Random(1)
        # Milliseconds of an answer: most quick, some slow. A table, because millions are drawn from it.
        self._ms = [round(self._random.lognormvariate(4.5, 0.5), 2) for _ in range(4096)]
        self._runs = runs_before(now, -(-plan.views // plan.sites))

    def write(self) -> None:
        self._groups()
        self._sites()
        self._views()
        self._hours()
        self._days()
        self._outages()
        self._alerts()
        self._checkpoint()

    def _groups(self) -> None:
        names = [(pk, f"Group {pk:02}", f"group-{pk}", pk % 7 == 0) for pk in range(1, self._plan.groups + 1)]
        self._writer.append("monitor_group", ("id", "name", "slug", "internal"), names)

    def _sites(self) -> None:
        self._writer.append(
            "monitor_site", tuple(self._site(1)), (tuple(self._site(pk).values()) for pk in self._pks)
        )

    def _site(self, pk: int) -> dict[str, Any]:
        down = pk <= SITES_DOWN
        last = self._ms_of(pk, len(self._runs) - 1)
        return {
            "id": pk,
            "group_id": self._group_of(pk),
            "name": f"{('Shop', 'Forum', 'Mail', 'API')[pk % 4]} of town {pk}",
            "slug": f"site-{pk}",
            "url": ADDRESS.format(pk // 250, pk % 250 + 1),
            "enabled": True,
            "good_codes": "",
            "get_fallback": False,
            "state": "down" if down else "up",
            "failures": 3 if down else 0,
            "state_since": self._time(self._runs[-3 if down else 0]),
            "last_checked": self._time(self._runs[-1]),
            "last_verdict": int(Verdict.DOWN if down else Verdict.UP),
            "last_code": None if down else 200,
            "last_reason": "connection refused" if down else "200 OK",
            "last_ms": last,
            "recent": self._recent(pk, down=down),
        }

    def _recent(self, pk: int, *, down: bool) -> str:
        """The last results in the words of monitor.recent."""
        count = len(self._runs)
        first_failure = count - 3 if down else count
        return " ".join(
            f"{LETTERS[Verdict.DOWN if run >= first_failure else Verdict.UP]}{self._ms_of(pk, run):.0f}"
            for run in range(max(0, count - KEPT), count)
        )

    def _group_of(self, pk: int) -> int:
        """The first group has a hundred sites where there are so many, the others share the rest."""
        if pk <= min(LARGE_GROUP, self._plan.sites // 2) or self._plan.groups == 1:
            return 1
        return 2 + pk % (self._plan.groups - 1)

    def _views(self) -> None:
        columns = (
            "id",
            "site_id",
            "date",
            "verdict",
            "code",
            "reason",
            "verb",
            "total_ms",
            "connect_ms",
            "wait_ms",
        )
        self._writer.append("monitor_siteview", columns, self._view_rows())

    def _view_rows(self) -> Iterator[tuple[Any, ...]]:
        """Run by run, as sweeps write them: so they lie on disk, and so they are found again."""
        first_failure = len(self._runs) - 3
        up, down = int(Verdict.UP), int(Verdict.DOWN)
        for number, run in enumerate(self._runs):
            at, milliseconds = self._time(run), int(run.timestamp() * 1000)
            for pk in self._pks:
                ms = self._ms_of(pk, number)
                key = f"{milliseconds:012x}7{number & 0xFFF:03x}8{pk:015x}"
                if pk <= SITES_DOWN and number >= first_failure:
                    yield key, pk, at, down, None, "connection refused", "HEAD", ms, None, None
                else:
                    yield key, pk, at, up, 200, "200 OK", "HEAD", ms, CONNECT_MS, ms - CONNECT_MS

    def _hours(self) -> None:
        end = self._now.replace(minute=0, second=0, microsecond=0)
        hours = [end - HOUR * back for back in range(24 * self._plan.hour_days, 0, -1)]
        rows = (
            (pk, self._time(hour), *sums, *phase_sums_of(sums))
            for place, hour in enumerate(hours)
            for expected in [runs_in(hour)]
            for pk in self._pks
            for sums in [sums_of(pk, place, expected)]
        )
        self._writer.append("monitor_sitehour", ("site_id", "hour", *SUMS, *PHASE_SUMS), rows)

    def _days(self) -> None:
        today = self._now.date()
        days = [today - timedelta(days=back) for back in range(self._plan.days, -1, -1)]
        rows = (
            (pk, self._writer.day(day), *sums_of(pk, place, expected))
            for place, day in enumerate(days)
            for expected in [self._runs_of(day)]
            for pk in self._pks
        )
        self._writer.append("monitor_siteday", ("site_id", "day", *SUMS), rows)

    def _runs_of(self, day: date) -> int:
        hours = 24 if day < self._now.date() else self._now.hour
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return sum(runs_in(start + HOUR * hour) for hour in range(hours))

    def _outages(self) -> None:
        outages = list(self._outage_times())
        rows = [(pk, self._time(start), end and self._time(end)) for pk, start, end in outages]
        self._writer.append("monitor_outage", ("id", "opened_at", "resolved_at"), rows)
        columns = (
            "outage_id",
            "site_id",
            "site_name",
            "site_url",
            "fell_at",
            "reason",
            "strikes",
            "back_at",
            "ending",
        )
        self._writer.append("monitor_outagesites", columns, self._fall_rows(outages))

    def _outage_times(self) -> Iterator[tuple[int, datetime, datetime | None]]:
        """The newest has the highest number and is still open; one every two hours or so before it."""
        count = self._plan.outages
        for pk in range(1, count):
            start = self._now - timedelta(minutes=110 * (count - pk) + pk % 17)
            yield pk, start, start + timedelta(minutes=3 + pk % 45)
        yield count, self._runs[-3], None

    def _fall_rows(self, outages: list[tuple[int, datetime, datetime | None]]) -> Iterator[tuple[Any, ...]]:
        for pk, start, end in outages:
            falls = SITES_DOWN if end is None else 1 + pk % 5
            for number in range(falls):
                site = number + 1 if end is None else (pk * 7 + number * 13) % self._plan.sites + 1
                back = None if end is None else self._time(end - timedelta(seconds=20 * number))
                fell = self._time(start + timedelta(seconds=number))
                words = (f"Shop of town {site}", "http://shop.example/", fell, "connection refused", 3)
                yield pk, site, *words, back, "" if end is None else "back"

    def _alerts(self) -> None:
        """Two messages about each outage, each to one address, delivered at the first attempt."""
        outages = list(self._outage_times())
        told = [(pk, at) for pk, start, end in outages for at in (start, end) if at is not None]
        alerts = [
            (number, f"outage:{pk}", f"Down: Shop of town {pk}", "Down.", "<p>Down.</p>")
            for number, (pk, _) in enumerate(told, 1)
        ]
        times = [(self._time(at), self._time(at + timedelta(days=1))) for _, at in told]
        columns = ("id", "reference", "subject", "text", "html", "created", "expires")
        rows = [(*alert, *time) for alert, time in zip(alerts, times, strict=True)]
        self._writer.append("alerts_alert", columns, rows)
        self._deliveries([created for created, _ in times])

    def _deliveries(self, times: list[Any]) -> None:
        deliveries = [
            (number, number, "email", "ops@example.org", "sent", 1, at, f"{number:032x}", at, "250 OK", False)
            for number, at in enumerate(times, 1)
        ]
        told = ("id", "alert_id", "channel", "address", "state", "tries", "next_try", "key")
        self._writer.append("alerts_delivery", (*told, "sent_at", "last_result", "channel_fault"), deliveries)
        attempts = [(number, number, at, True, "250 OK", 12.5) for number, at in enumerate(times, 1)]
        columns = ("id", "delivery_id", "at", "ok", "result", "elapsed_ms")
        self._writer.append("alerts_attempt", columns, attempts)

    def _checkpoint(self) -> None:
        """What the roll-up remembers: it goes on from here."""
        rolled = self._now.replace(minute=0, second=0, microsecond=0)
        row = ("roll_up", "rolled until", json.dumps(rolled.isoformat()), self._time(self._now))
        self._writer.append("jobs_checkpoint", ("job", "key", "value", "updated"), [row])

    @property
    def _pks(self) -> range:
        return range(1, self._plan.sites + 1)

    def _ms_of(self, pk: int, run: int) -> float:
        return self._ms[(pk * 31 + run * 17) & 4095]

    def _time(self, at: datetime) -> Any:
        return self._writer.time(at)


SUMS = ("runs", "up", "down", "inconclusive", "expected", "ms_sum", "ms_min", "ms_max")
PHASE_SUMS = ("connect_ms_sum", "wait_ms_sum")


def sums_of(pk: int, place: int, runs: int) -> tuple[Any, ...]:
    """A span in which all ``runs`` took place; now and then two of them failed."""
    down = min(runs, 2) if (pk + place) % 97 == 0 else 0
    up = runs - down
    return runs, up, down, 0, float(runs), up * 95.0, 20.0 + pk % 30 if up else None, 400.0 if up else None


def phase_sums_of(sums: tuple[Any, ...]) -> tuple[float | None, float | None]:
    """As views have them: plain HTTP to addresses in numbers has neither look-up nor TLS."""
    up, ms = sums[SUMS.index("up")], sums[SUMS.index("ms_sum")]
    return (up * CONNECT_MS, ms - up * CONNECT_MS) if up else (None, None)


def runs_in(hour: datetime) -> int:
    """What the product's calendar has (djamon/schedule.py), in UTC: office hours each minute."""
    return 60 if hour.weekday() < 5 and 9 <= hour.hour <= 16 else 12


def runs_before(now: datetime, count: int) -> list[datetime]:
    """The last ``count`` runs of that calendar, the oldest first, each some seconds after its minute."""
    minute = now.replace(second=0, microsecond=0)
    backwards = (minute - MINUTE * back for back in range(1, 60 * 24 * 400))
    due = (at for at in backwards if runs_in(at) == 60 or at.minute % 5 == 0)
    return [at + timedelta(seconds=3, microseconds=250_000) for at in reversed(list(islice(due, count)))]


def main() -> None:
    """The plan comes as JSON in the first word."""
    installation = Installation(Path.cwd(), os.environ["DATABASE_URL"])
    with writer(installation) as into:
        fill(into, Plan(**json.loads(sys.argv[1])), datetime.now(UTC))


def fill_installation(installation: Installation, plan: Plan) -> None:
    installation.python("-m", "benchmarks.history", json.dumps(asdict(plan)))


if __name__ == "__main__":
    main()
