"""The list of functions: the database searches, sorts and cuts it into pages, so that it takes thousands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import F, FloatField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast
from django.utils.safestring import SafeString

from djamon.lib.charts import sparkline
from scripts.my_shortcuts import paginate
from timings import queries
from timings.addresses import path_of
from timings.models import EVER, HOUR, Series, Summary
from timings.store import Sums
from timings.words import took

ROWS = 50
SPARK_HOURS = 24
MOST_TOKENS = 100  # to choose from
LONGEST_WORD = 500
PERCENTILES = {"p50": 0, "p95": 1, "p99": 2}  # where they stand in what queries.within gives


@dataclass(frozen=True, slots=True)
class Column:
    """A column that sorts: ``first`` is the direction of the first click, ``-`` from the greatest."""

    name: str
    title: str
    first: str
    style: str = "number"


COLUMNS = (
    Column("key", "Function", "", ""),
    Column("count", "Calls", "-"),
    Column("last", "Last call", "-", ""),
    Column("mean", "Mean", "-", "number d-none d-lg-table-cell"),
    Column("p50", "p50", "-"),
    Column("p95", "p95", "-"),
    Column("p99", "p99", "-", "number d-none d-lg-table-cell"),
)
DEFAULT_SORT = "key"
SORTS = {f"{sign}{column.name}" for column in COLUMNS for sign in ("", "-")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query asks for; what it does not know counts as not asked."""

    words: str
    token: str
    sort: str

    @property
    def is_set(self) -> bool:
        return bool(self.words or self.token)

    def query(self, **changed: str) -> str:
        """As a query of an address, without what is usual."""
        found = {"q": self.words, "token": self.token, "sort": self.sort} | changed
        if found["sort"] == DEFAULT_SORT:
            found["sort"] = ""
        return urlencode({name: word for name, word in found.items() if word})


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's link; ``sorted`` is how it is sorted now, as ARIA says it."""

    column: Column
    query: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Row:
    """A function of a sender; times in seconds."""

    pk: int
    key: str
    token: str
    path: str
    count: int
    last: datetime
    mean: float
    p50: float
    p95: float
    p99: float
    spark: SafeString
    spark_words: str


@dataclass(frozen=True, slots=True)
class Listing:
    asked: Asked
    headings: list[Heading]
    page: Page[Any]
    rows: list[Row]
    tokens: list[str]  # all there are; none where they are too many to choose from


def asked_for(query: Mapping[str, str]) -> Asked:
    words, token = (query.get(name, "").strip()[:LONGEST_WORD].replace("\0", "") for name in ("q", "token"))
    sort = query.get("sort", "")
    return Asked(words, token, sort if sort in SORTS else DEFAULT_SORT)


def listing(query: Mapping[str, str], now: datetime) -> Listing:
    """Six queries, however many functions there are."""
    asked = asked_for(query)
    page, known = paginate(_ranked(asked), ROWS, query.get("page")), tokens()
    rows = _rows(list(page.object_list), now, name_tokens=len(known) != 1)
    return Listing(asked, _headings(asked), page, rows, known)


def tokens() -> list[str]:
    found = Series.objects.order_by("token").values_list("token", flat=True).distinct()[: MOST_TOKENS + 1]
    return list(found) if len(found) <= MOST_TOKENS else []


# --- Order ---------------------------------------------------------------------------------------
def _ranked(asked: Asked) -> QuerySet[Series, Any] | list[int]:
    """The numbers of the series in their order."""
    series: QuerySet[Series] = queries.series_like(asked.token, asked.words)
    sign, name = ("-", asked.sort[1:]) if asked.sort.startswith("-") else ("", asked.sort)
    if name in PERCENTILES:
        return _by_percentile(series, PERCENTILES[name], backwards=bool(sign))
    order: tuple[str, ...]
    if name == "key":
        order = (f"{sign}key", f"{sign}token")
    elif name == "last":
        order = (f"{sign}last_ts", "key", "token")
    else:
        series = series.annotate(rank=Subquery(_ever(name)))
        order = (f"{sign}rank", "key", "token")
    return series.order_by(*order).values_list("pk", flat=True)


def _ever(name: str) -> QuerySet[Summary, Any]:
    """Along the order of the table: a row for each series."""
    ever = Summary.objects.filter(level=EVER, start=0, series_id=OuterRef("pk"))
    mean = Cast("total", FloatField()) / Cast("count", FloatField())
    return ever.annotate(figure=mean if name == "mean" else F("count")).values("figure")[:1]


def _by_percentile(series: QuerySet[Series], share: int, *, backwards: bool) -> list[int]:
    """They stand in histograms, which the database cannot read: each is read, some 20 µs a function."""
    names = {pk: (key, token) for pk, key, token in series.order_by().values_list("pk", "key", "token")}
    ranks = {pk: queries.within(sums)[share] for pk, sums in queries.sums_ever().items() if pk in names}
    in_order = sorted(ranks, key=lambda pk: names[pk])
    return sorted(in_order, key=lambda pk: ranks[pk], reverse=backwards)


def _headings(asked: Asked) -> list[Heading]:
    return [_heading(column, asked) for column in COLUMNS]


def _heading(column: Column, asked: Asked) -> Heading:
    """A click turns the order of the column by which it is sorted."""
    up, down = column.name, f"-{column.name}"
    if asked.sort not in (up, down):
        return Heading(column, asked.query(sort=f"{column.first}{column.name}"), "")
    other = up if asked.sort == down else down
    return Heading(column, asked.query(sort=other), "ascending" if asked.sort == up else "descending")


# --- Rows ----------------------------------------------------------------------------------------
def _rows(ids: Sequence[int], now: datetime, *, name_tokens: bool) -> list[Row]:
    """With ``name_tokens`` a row leads to the calls of its token alone."""
    series = Series.objects.in_bulk(ids)
    ever, means = queries.sums_ever(ids), _means(ids, now)
    # Where a purge deletes a series just now, it is in one answer and not in the other.
    return [
        _row(series[pk], ever[pk], means.get(pk, []), name_tokens)
        for pk in ids
        if pk in series and pk in ever
    ]


def _row(series: Series, sums: Sums, means: list[float | None], name_token: bool) -> Row:
    p50, p95, p99 = queries.within(sums)
    return Row(
        series.pk,
        series.key,
        series.token,
        path_of(series.key, token=series.token if name_token else ""),
        sums.calls,
        datetime.fromtimestamp(series.last_ts, UTC),
        sums.total / sums.calls,
        p50,
        p95,
        p99,
        sparkline(means) if means else SafeString(),
        _in_words(means),
    )


def _means(ids: Sequence[int], now: datetime) -> dict[int, list[float | None]]:
    """The means of the last hours of those that had calls in them."""
    last = int(now.timestamp()) // HOUR * HOUR
    first = last - (SPARK_HOURS - 1) * HOUR
    hours = Summary.objects.filter(level=HOUR, series_id__in=ids, start__gte=first, start__lte=last)
    found: dict[int, list[float | None]] = {}
    for pk, start, count, total in hours.order_by().values_list("series_id", "start", "count", "total"):
        found.setdefault(pk, [None] * SPARK_HOURS)[(start - first) // HOUR] = total / count
    return found


def _in_words(means: Sequence[float | None]) -> str:
    known = [mean for mean in means if mean is not None]
    if not known:
        return "No call in the last day"
    return f"Hourly means of the last day: {took(min(known))} to {took(max(known))}"
