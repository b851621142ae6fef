"""A key's page over a range: a sentence, figures beside those before, slowest and last calls, a table.

What moves while calls arrive is all here; the charts read the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

import msgspec

from djamon.lib.buckets import RangeRefused, TimeRange, named_range, parse_moment, parse_range
from djamon.lib.durations import in_words
from timings import comparing, queries
from timings.asked import CHOICE, RANGES, Span
from timings.comparing import Compared, Figures
from timings.words import before, change, rate, sign, took

TABLE_ROWS = 50
AROUND = timedelta(hours=3)
FEW = 10
TELLING = 5  # per cent: a lesser change gets no colour
# Each figure's name, and what it is when it has grown or shrunk.
FIGURES = (
    ("count", "Calls", "more", "fewer"),
    ("mean", "Mean", "slower", "faster"),
    ("p50", "p50", "slower", "faster"),
    ("p95", "p95", "slower", "faster"),
    ("p99", "p99", "slower", "faster"),
    ("max", "Slowest", "slower", "faster"),
)


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure in this range and the one before; ``tone`` is a style: worse, better or neither."""

    name: str
    title: str
    now: str
    before: str
    change: str
    sign: str
    tone: str


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call; ``fields`` are those it brought besides, as name and value."""

    at: datetime
    took: str
    token: str
    fields: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BucketRow:
    at: datetime
    bucket: queries.Bucket


@dataclass(frozen=True, slots=True)
class Shown:
    """The range of the page; ``typed`` is what its form holds, ``refused`` why another one is shown.

    ``follows`` while it ends now; ``query`` is what a chart asks the API for.
    """

    words: str
    name: str
    span: Span
    follows: bool
    typed: dict[str, str]
    refused: RangeRefused | None
    query: str
    links: list[tuple[str, str, str]]  # of each named range: name, words, query


@dataclass(frozen=True, slots=True)
class Panel:
    """What a page shows of a range; ``step`` is how long a row of its table is."""

    shown: Shown
    sentence: str
    is_empty: bool
    before_words: str
    figures: list[FigureRow]
    slowest: list[CallRow]
    latest: list[CallRow]
    rows: list[BucketRow]
    step: str


def shown_of(query: Mapping[str, str], token: str, key: str, now: datetime, zone: tzinfo) -> Shown:
    """The range that the query asks for, or where it cannot be shown the default one and the reason."""
    asked = parse_range(query, now, zone, CHOICE)
    refused = asked if isinstance(asked, RangeRefused) else None
    found = named_range(CHOICE.default, now, CHOICE) if isinstance(asked, RangeRefused) else asked
    span = _whole_seconds(found)
    typed = {name: _typed(query.get(name, ""), zone) for name in ("from", "to")}
    if refused is None or refused.field == "range":
        typed = {"from": _field(found.start, zone), "to": _field(found.end, zone)}
    follows = bool(found.name) or not query.get("to", "").strip()
    ends = {"range": found.name} if found.name else {"start_time": str(span.start)}
    if not follows:
        ends["end_time"] = str(span.end)
    return Shown(
        words=_words(found, zone),
        name=found.name,
        span=span,
        follows=follows,
        typed=typed,
        refused=refused,
        query=urlencode({"key": key, **({"token": token} if token else {}), **ends}),
        links=[(name, words, kept(query, range=name)) for name, (words, _) in RANGES.items()],
    )


def kept(query: Mapping[str, str], **changed: str) -> str:
    """As a query of an address: what stays when another range is chosen, and that range."""
    return urlencode({name: query[name] for name in ("key", "token") if query.get(name)} | changed)


def around(query: Mapping[str, str], moment: datetime, now: datetime) -> str:
    """The hours around a moment, as a query of an address."""
    end = min(moment + AROUND, now)
    ends = {"from": f"{(moment - AROUND).timestamp():.0f}", "to": f"{end.timestamp():.0f}"}
    return kept(query, **ends)


def _whole_seconds(found: TimeRange) -> Span:
    start, end = int(found.start.timestamp()), int(found.end.timestamp())
    return Span(start + 1 if found.name else start, end if found.name else max(start, end - 1))


def _words(found: TimeRange, zone: tzinfo) -> str:
    if found.name:
        return RANGES[found.name][0]
    return f"{_minute(found.start, zone)} to {_minute(found.end, zone)}"


def _minute(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _typed(word: str, zone: tzinfo) -> str:
    """What was asked for, as far as a field for date and time can hold it; the refusal quotes the rest."""
    moment = parse_moment(word.strip(), zone)
    try:
        return _field(moment, zone) if moment else ""
    except OverflowError:  # the last hours of the year 9999, in a zone that is ahead
        return ""


def _field(moment: datetime, zone: tzinfo) -> str:
    """As a browser's field for date and time holds it."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def panel_of(series: Mapping[int, str], shown: Shown, now: datetime) -> Panel:
    """Some twenty queries at most, however long the range is and however many calls it has."""
    ids, span, now_s = list(series), shown.span, int(now.timestamp())
    compared = comparing.compared(ids, span, now_s)
    slowest = queries.slowest(ids, span.start, span.end, FEW, now_s)
    latest = queries.latest(ids, span.start, span.end, FEW)
    rows, step = _table(ids, span, now_s)
    return Panel(
        shown=shown,
        sentence=_sentence(compared.now),
        is_empty=not compared.now.count,
        before_words=before(span.end + 1 - span.start),
        figures=[_figure_row(compared, *figure) for figure in FIGURES],
        slowest=_call_rows(slowest, series),
        latest=_call_rows(latest, series),
        rows=rows,
        step=step,
    )


def _sentence(figures: Figures) -> str:
    if not figures.count:
        return "No call began in this time."
    calls = "1 call" if figures.count == 1 else f"{figures.count:,} calls, {rate(figures.per_second)}"
    return (
        f"{calls}. Half of them took {took(figures.p50)} or less, 95 % {took(figures.p95)} or less, "
        f"the slowest {took(figures.max)}."
    )


def _figure_row(compared: Compared, name: str, title: str, more: str, less: str) -> FigureRow:
    now, then = getattr(compared.now, name), getattr(compared.before, name)
    per_cent = compared.changes[name]
    is_count = name == "count"
    tone = ""
    if per_cent is not None and not is_count and abs(per_cent) >= TELLING:
        tone = "failing" if per_cent > 0 else "up"
    return FigureRow(
        name,
        title,
        f"{now:,}" if is_count else took(now),
        f"{then:,}" if is_count else took(then),
        change(per_cent, more, less),
        sign(per_cent),
        tone,
    )


def _call_rows(found: queries.Calls, series: Mapping[int, str]) -> list[CallRow]:
    return [
        CallRow(
            datetime.fromtimestamp(call.ts, UTC),
            took(call.execution_time),
            series[call.series_id],
            _fields(found.extras.get((call.series_id, call.ts, call.seq), "")),
        )
        for call in found.page
    ]


def _fields(extra: str) -> list[tuple[str, str]]:
    if not extra:
        return []
    fields: dict[str, Any] = msgspec.json.decode(extra)
    return [
        (name, " ".join(value.split()) if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in fields.items()
    ]


def _table(ids: list[int], span: Span, now_s: int) -> tuple[list[BucketRow], str]:
    """The newest first, each with how long it is."""
    least = queries.grain_of(ids, span.start, span.end, now_s)
    grid = queries.grid_of(span.start, span.end, TABLE_ROWS, least)
    found = queries.summary(ids, span.start, span.end, grid)
    rows = [BucketRow(datetime.fromtimestamp(bucket.start, UTC), bucket) for bucket in reversed(found)]
    return rows, in_words(grid.size)
