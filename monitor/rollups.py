"""Sums the views of each site by hour and by day, so that pages read thousands of rows, not millions.

One GROUP BY for each span of hours, then one short transaction that stores it and how far we have come: a run
that is killed goes on from there. The last hours are summed again each time, for views that came late (a
sweep that ended after its hour, a clock that was set back). A sum never gets smaller: where fewer views
are found than were once summed, they were purged. An hour that was summed when hours had no phases yet gets
them when it is summed again, at the latest by the purge, right before its views go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from django.db import connection, models, transaction
from django.db.models import (
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from djamon.lib.buckets import Buckets
from jobs.models import Checkpoint
from monitor import expected
from monitor.expected import HOUR, full_hour, hours_between
from monitor.models import Site, SiteDay, SiteHour, SiteView
from monitor.verdicts import PHASES, Verdict

JOB = "roll_up"
KEY = "rolled until"
REDO = 6 * HOUR  # a view that comes later than this is summed by the purge, right before it goes
ROWS = 4000  # of a transaction: with a thousand sites 0.1 to 0.2 s on SQLite
LONGEST_SPAN = 24  # hours
# A site that nobody has asked for so long is no longer expected to be: each hour of it costs a row.
FORGOTTEN = timedelta(days=31)
TIMED = Q(verdict=Verdict.UP)  # whose milliseconds are summed: see Tally
PHASE_SUMS = tuple(f"{name}_sum" for name in PHASES)
# Of an hour whose phases are not known, or that has no good answer: a good answer has one phase at least.
UNPHASED = Q(**dict.fromkeys((f"{name}__isnull" for name in PHASE_SUMS), True))


class Context(Protocol):
    """What a run needs of its job: to tell how far it is, and to prove that it still holds the lease."""

    def progress(self, done: int, total: int, message: str = "") -> None: ...
    def hold(self) -> None: ...


class Sums(NamedTuple):
    """What the views of a site and hour add up to, in the order of the columns."""

    runs: int
    up: int
    down: int
    inconclusive: int
    ms_sum: float
    ms_min: float | None
    ms_max: float | None
    lookup_ms_sum: float | None = None
    connect_ms_sum: float | None = None
    tls_ms_sum: float | None = None
    wait_ms_sum: float | None = None

    @property
    def phased(self) -> bool:
        """Whether any phase is known: the opposite of UNPHASED."""
        return any(getattr(self, name) is not None for name in PHASE_SUMS)


SUMS: dict[str, Any] = {
    "runs": Count("*"),
    "up": Count("verdict", filter=Q(verdict=Verdict.UP)),
    "down": Count("verdict", filter=Q(verdict=Verdict.DOWN)),
    "inconclusive": Count("verdict", filter=Q(verdict=Verdict.INCONCLUSIVE)),
    "ms_sum": Coalesce(Sum("total_ms", filter=TIMED), 0.0),
    "ms_min": Min("total_ms", filter=TIMED),
    "ms_max": Max("total_ms", filter=TIMED),
    **{f"{name}_sum": Sum(name, filter=TIMED) for name in PHASES},
}
DAY_SUMS: dict[str, Any] = {
    name: Min(name) if name == "ms_min" else Max(name) if name == "ms_max" else Sum(name)
    for name in (*Sums._fields, "expected")
    if name not in PHASE_SUMS  # nobody reads phases by day
}
NO_VIEWS = Sums(0, 0, 0, 0, 0.0, None, None)


class Row(NamedTuple):
    """A row of SiteHour to write."""

    site_id: int
    hour: datetime
    sums: Sums
    expected: float


@dataclass(frozen=True, slots=True)
class Watched:
    """A site as a span begins: ``before``: it has a row of the hour before, so asking had begun."""

    id: int
    enabled: bool
    interval_min: int | None
    before: bool
    last_run: datetime | None


class Stored(NamedTuple):
    runs: int
    expected: float
    unphased: bool


Counted = dict[tuple[int, datetime], Sums]
StoredRows = dict[tuple[int, datetime], Stored]


class UtcHour(Func):
    """The beginning of an instant's hour in UTC. On SQLite without a call into Python for each row."""

    arity = 1
    output_field = models.DateTimeField()
    template = "DATE_TRUNC('hour', %(expressions)s, 'UTC')"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "SUBSTR(%(expressions)s, 1, 13) || ':00:00'"
        return self.as_sql(compiler, connection, template=template, **context)


class BucketNumber(Func):
    """The number of the bucket that a moment lies in, as Buckets counts them, in the database's own words."""

    output_field = models.BigIntegerField()

    def __init__(self, moment: str, buckets: Buckets) -> None:
        super().__init__(moment, size=int(buckets.size_s), shift=int(buckets.shift_s))

    def as_sqlite(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["template"] = "((CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) + %(shift)s) / %(size)s)"
        return self.as_sql(*args, **kwargs)

    def as_postgresql(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["template"] = "FLOOR((EXTRACT(EPOCH FROM %(expressions)s) + %(shift)s) / %(size)s)"
        return self.as_sql(*args, **kwargs)


def rolled_until() -> datetime | None:
    """All hours before this one are summed; None before the first roll-up. One query."""
    value = Checkpoint.objects.filter(job=JOB, key=KEY).values_list("value", flat=True).first()
    return datetime.fromisoformat(value) if value else None


def roll_up(context: Context, now: datetime) -> str:
    """Sum all complete hours that are not summed yet, and the last few again; says what was written.

    Raises LeaseLost where another run took over: then nothing more is written.
    """
    end = full_hour(now)
    known = rolled_until()
    fresh = min(known, end) if known else hour_of_first_view(None)
    if fresh is None or fresh > end:
        return "no views to sum yet"
    start = at = fresh - REDO if known else fresh
    written = 0
    while at < end:
        until = min(at + span(), end)
        stored, found = roll_span(at, until, fresh, context.hold)
        written += stored
        at = until if found else max(until, min(hour_of_first_view(until) or end, end))
        context.progress((at - start) // HOUR, (end - start) // HOUR, f"summed until {at:%Y-%m-%d %H:%M} UTC")
    _mark(end, context.hold)
    new = (end - fresh) // HOUR
    return (
        f"{_number(new, 'new hour')} summed until {end:%Y-%m-%d %H:%M} UTC, {_number(written, 'row')} written"
    )


def roll_span(start: datetime, end: datetime, fresh: datetime, hold: Callable[[], None]) -> tuple[int, int]:
    """Sum the full hours from ``start`` to ``end``; gives the rows written and the rows that the span has.

    Hours from ``fresh`` on are summed for the first time: a site that was watched gets a row for each, also
    without a run.
    """
    counted = _count(start, end)  # before the transaction: it reads long, and what it reads stays as it is
    hours = list(hours_between(start, end))
    with transaction.atomic():
        hold()
        stored = _stored(start, end)
        rows: list[Row] = []
        for site in _watched(start):
            rows.extend(_rows_of(site, hours, fresh, counted, stored))
        columns = (*Sums._fields, "expected")
        _upsert(SiteHour, "hour", columns, [(row.site_id, row.hour, *row.sums, row.expected) for row in rows])
        _sum_days(sorted({row.hour.date() for row in rows}), max(end, fresh))
        if end > fresh:
            _store_mark(end)
    return len(rows), len(rows) + len(stored)


def span() -> timedelta:
    """How many hours of all sites fit into one transaction."""
    return HOUR * max(1, min(LONGEST_SPAN, ROWS // max(1, Site.objects.count())))


def hour_of_first_view(after: datetime | None) -> datetime | None:
    """The hour of the first view, or of the first from ``after`` on; one look-up for each site."""
    views = SiteView.objects.filter(site=OuterRef("pk")).order_by("date")
    if after is not None:
        views = views.filter(date__gte=after)
    first = Site.objects.annotate(first=Subquery(views.values("date")[:1])).aggregate(Min("first"))[
        "first__min"
    ]
    return full_hour(first) if first else None


def views_by_hour(start: datetime, end: datetime) -> QuerySet[SiteView, Any]:
    """The sums of each site and hour that has views, along the index of site and date."""
    views = SiteView.objects.filter(site__in=Site.objects.values("pk"), date__gte=start, date__lt=end)
    return views.order_by().values("site_id", hour=UtcHour(F("date"))).annotate(**SUMS)


def _count(start: datetime, end: datetime) -> Counted:
    rows = views_by_hour(start, end).values_list("site_id", "hour", *SUMS)
    return {(site_id, hour): Sums(*values) for site_id, hour, *values in rows}


def _watched(start: datetime) -> list[Watched]:
    """All sites as the span that begins with ``start`` finds them; none is deleted until we are done."""
    hours = SiteHour.objects.filter(site=OuterRef("pk"))
    sites = Site.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    rows = sites.annotate(
        before=Exists(hours.filter(hour=start - HOUR)),
        last_run=Subquery(hours.filter(hour__lt=start, runs__gt=0).order_by("-hour").values("hour")[:1]),
    )
    return [
        Watched(*values) for values in rows.values_list("pk", "enabled", "interval_min", "before", "last_run")
    ]


def _stored(start: datetime, end: datetime) -> StoredRows:
    rows = SiteHour.objects.filter(hour__gte=start, hour__lt=end).order_by()
    unphased = ExpressionWrapper(UNPHASED, models.BooleanField())
    found = rows.values_list("site_id", "hour", "runs", "expected", unphased)
    return {(site_id, hour): Stored(*values) for site_id, hour, *values in found}


def _rows_of(
    site: Watched, hours: Sequence[datetime], fresh: datetime, counted: Counted, stored: StoredRows
) -> Iterator[Row]:
    """The site's rows that are new, have grown or lack phases. Pure, but for the calendar that it asks.

    Runs are expected of a site that is enabled and has a row of the hour before: so not in the hour in which
    asking begins, or begins again after a pause. What was expected once stays: settings change.
    """
    before, last_run = site.before, site.last_run
    for hour in hours:
        sums, old = counted.get((site.id, hour), NO_VIEWS), stored.get((site.id, hour))
        asked = before and site.enabled and last_run is not None and hour - last_run <= FORGOTTEN
        watched = asked and hour >= fresh
        before = bool(old or sums.runs or watched)
        if sums.runs or (old and old.runs):
            last_run = hour
        if old is None and before:
            yield Row(site.id, hour, sums, expected.of_hour(hour, site.interval_min) if watched else 0.0)
        elif old is not None and _tells_more(sums, old):
            yield Row(site.id, hour, sums, old.expected)


def _tells_more(sums: Sums, old: Stored) -> bool:
    """Of as many views it does where they had phases that were not summed then."""
    return sums.runs > old.runs or (sums.runs == old.runs and old.unphased and sums.phased)


def _sum_days(days: Iterable[date], end: datetime) -> None:
    """Write the days anew from their hours before ``end``."""
    for day in days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        hours = SiteHour.objects.filter(hour__gte=start, hour__lt=min(start + 24 * HOUR, end)).order_by()
        totals = hours.values("site_id").annotate(**DAY_SUMS).values_list("site_id", *DAY_SUMS)
        _upsert(SiteDay, "day", tuple(DAY_SUMS), [(site_id, day, *sums) for site_id, *sums in totals])


def _upsert(
    model: type[SiteHour | SiteDay], key: str, fields: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Rows of a site, the value of ``key``, and those of ``fields``.

    One prepared statement for all rows: the ORM writes a tenth as many a second.
    """
    columns = ("site_id", key, *fields)
    updates = ", ".join(f"{column} = excluded.{column}" for column in fields)
    sql = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608  (names of ours alone)
        f"VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT (site_id, {key}) DO UPDATE SET {updates}"
    )
    field: models.Field[Any, Any] = getattr(model, key).field
    times = {when: field.get_db_prep_save(when, connection) for _, when, *_ in rows}
    values = [(site_id, times[when], *figures) for site_id, when, *figures in rows]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)


def _mark(until: datetime, hold: Callable[[], None]) -> None:
    with transaction.atomic():
        hold()
        _store_mark(until)


def _store_mark(until: datetime) -> None:
    Checkpoint.objects.update_or_create(job=JOB, key=KEY, defaults={"value": until.isoformat()})


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
