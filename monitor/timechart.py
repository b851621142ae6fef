"""A site's response times as people and programs get them: a sentence, a table, and the data of a chart.

The chart's data are what static/djamon/charts.js draws: lines over the moments of ``at``, marks, areas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal, TypedDict
from urllib.parse import urlencode

from djamon.lib.buckets import (
    DEFAULT_RANGE,
    RANGES,
    RangeRefused,
    TimeRange,
    named_range,
    parse_moment,
    parse_range,
)
from djamon.lib.durations import in_words
from djamon.lib.words import milliseconds
from monitor.models import Site
from monitor.series import Fall, Point, Series, merged, series_of

TABLE_ROWS = 50
DRAWN_POINTS = 500  # a chart has about so many: it is another after so small a part of its range
PHASE_NAMES = {"lookup_ms": "Name look-up", "connect_ms": "Connect", "tls_ms": "TLS", "wait_ms": "Wait"}
COLOURS = {"lookup_ms": 1, "connect_ms": 2, "tls_ms": 3, "wait_ms": 4, "slowest_ms": 5, "unsplit_ms": 6}

Look = Literal["stacked", "area", "optional", "told"]
Area = TypedDict("Area", {"from": datetime, "to": datetime | None, "text": str})


class Line(TypedDict):
    """``look`` is how it is drawn: an optional line is off at first, one that is told is in the tooltip.

    ``colour`` is a number of those in charts.css, the same for a figure in every chart.
    """

    key: str
    name: str
    unit: str
    look: Look
    colour: int
    values: list[float | int | None]


class Mark(TypedDict):
    at: datetime
    text: str


TimesData = TypedDict(
    "TimesData",
    {
        "site": str,
        "slug": str,
        "range": str | None,
        "from": datetime,
        "to": datetime,
        "zone": str,
        "bucket_s": int | None,
        "title": str,
        "summary": str,
        "at": list[datetime],
        "lines": list[Line],
        "marks": list[Mark],
        "areas": list[Area],
    },
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; ``phases`` are as many as the table has names of them."""

    point: Point
    phases: list[float | None]


@dataclass(frozen=True, slots=True)
class TimesPanel:
    """What the site's page shows of a range.

    ``typed`` is what its form holds, ``refused`` why it shows another range, ``query`` what the chart asks
    for, ``step`` how long a row of the table is, empty where each row is one request. ``every_s``: after how
    many seconds the chart is another, 0 for never.
    """

    words: str
    summary: str
    query: str
    name: str
    typed: dict[str, str]
    refused: RangeRefused | None
    phase_names: list[str]
    rows: list[Row]
    step: str
    every_s: int


def panel_of(site: Site, query: Mapping[str, str], now: datetime, zone: tzinfo) -> TimesPanel:
    """The range that the query asks for, or where it cannot be shown the default one and the reason."""
    asked = parse_range(query, now, zone)
    refused = asked if isinstance(asked, RangeRefused) else None
    shown = named_range(DEFAULT_RANGE, now) if isinstance(asked, RangeRefused) else asked
    series = series_of(site, shown, zone)
    table, phases = merged(series, zone, TABLE_ROWS), series.phases
    return TimesPanel(
        words=range_in_words(shown, zone),
        summary=summary_of(series, now, zone),
        query=urlencode(_query_of(shown)),
        name=shown.name,
        typed=_typed(query, zone) if refused and refused.field != "range" else _as_typed(shown, zone),
        refused=refused,
        phase_names=[PHASE_NAMES[name] for name in phases],
        rows=[Row(point, [getattr(point, name) for name in phases]) for point in table.points],
        step=in_words(table.buckets.size_s) if table.buckets else "",
        every_s=max(1, int(shown.seconds / DRAWN_POINTS)) if shown.name else 0,
    )


def times_data(site: Site, shown: TimeRange, now: datetime, zone: tzinfo) -> TimesData:
    """The site's JSON of a range."""
    series = series_of(site, shown, zone)
    return {
        "site": site.name,
        "slug": site.slug,
        "range": shown.name or None,
        "from": shown.start,
        "to": shown.end,
        "zone": str(zone),
        "bucket_s": series.buckets.size_s if series.buckets else None,
        "title": f"Response time of {site.name}, {range_in_words(shown, zone)}",
        "summary": summary_of(series, now, zone),
        "at": [point.at for point in series.points],
        "lines": _lines(series),
        "marks": [_mark(point) for point in series.points if point.failures],
        "areas": [{"from": fall.start, "to": fall.end, "text": fall.reason} for fall in series.falls],
    }


def range_in_words(shown: TimeRange, zone: tzinfo) -> str:
    """``last day``, or ``2026-03-01 09:00 to 2026-03-02 09:00``."""
    if shown.name:
        return RANGES[shown.name][0]
    return f"{_minute(shown.start, zone)} to {_minute(shown.end, zone)}"


def summary_of(series: Series, now: datetime, zone: tzinfo) -> str:
    """Two or three sentences: how quick the answers were, how many requests failed, how often it was down."""
    asked = sum(point.requests for point in series.points)
    if not asked:
        return " ".join(["Nothing was asked in this time.", *_falls_in_words(series, now)])
    return " ".join([_speed(series, zone), _failures(series, asked), *_falls_in_words(series, now)])


def _speed(series: Series, zone: tzinfo) -> str:
    answered = [point for point in series.points if point.average_ms is not None]
    if not answered:
        return "No good answer came."
    good = sum(point.up for point in answered)
    mean = sum((point.average_ms or 0) * point.up for point in answered) / good
    slowest = max(answered, key=lambda point: point.slowest_ms or 0)
    when = "at" if series.buckets is None else "from"
    return (
        f"{milliseconds(mean)} on average, {milliseconds(slowest.slowest_ms)} at the slowest "
        f"({when} {_minute(slowest.at, zone)})."
    )


def _failures(series: Series, asked: int) -> str:
    failed = sum(point.failures for point in series.points)
    if not failed:
        return "No request failed." if asked > 1 else "It did not fail."
    return f"{failed:,} of {asked:,} requests failed."


def _falls_in_words(series: Series, now: datetime) -> list[str]:
    """How long it was down within the range; nothing if it was not."""
    if not series.falls:
        return []
    down = sum((_within(fall, series.shown, now) for fall in series.falls), timedelta())
    times = "once" if len(series.falls) == 1 else f"{len(series.falls)} times"
    return [f"Down {times}, for {in_words(down.total_seconds())}."]


def _within(fall: Fall, shown: TimeRange, now: datetime) -> timedelta:
    return min(fall.end or now, shown.end) - max(fall.start, shown.start)


def _lines(series: Series) -> list[Line]:
    """The phases stacked up, or where none is known the whole; what is one for each request says nothing.

    Where only some points have phases, the others have the whole in the stack: its height is the average
    everywhere.
    """
    phases = series.phases
    lines = [_line(series, name, PHASE_NAMES[name], "stacked") for name in phases]
    if phases and any(point.unsplit_ms is not None for point in series.points):
        lines.append(_line(series, "unsplit_ms", "Phases not known", "stacked"))
    lines.append(_line(series, "average_ms", "In all", "told" if phases else "area"))
    if series.buckets is not None:
        lines.append(_line(series, "slowest_ms", "Slowest", "optional"))
        lines.append(_line(series, "requests", "Requests", "told", unit=""))
    return lines


def _line(series: Series, key: str, name: str, look: Look, unit: str = "ms") -> Line:
    values: list[Any] = [getattr(point, key) for point in series.points]
    rounded = [round(value, 3) if isinstance(value, float) else value for value in values]
    return {
        "key": key,
        "name": name,
        "unit": unit,
        "look": look,
        "colour": COLOURS.get(key, 2),
        "values": rounded,
    }


def _mark(point: Point) -> Mark:
    if point.requests == 1:
        return {"at": point.at, "text": point.reason or "failed"}
    why = f": {point.reason}" if point.reason else ""  # hours that are rolled up do not know it
    return {"at": point.at, "text": f"{point.failures:,} of {point.requests:,} failed{why}"}


def _minute(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _query_of(shown: TimeRange) -> dict[str, str]:
    if shown.name:
        return {"range": shown.name}
    return {"from": shown.start.isoformat(), "to": shown.end.isoformat()}


def _typed(query: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """What the query says, as far as it can be read; a browser's field takes nothing else."""
    words = {key: query.get(key, "").strip() for key in ("from", "to")}
    moments = {key: parse_moment(word, zone) for key, word in words.items()}
    return {key: _field(moment, zone) if moment else words[key] for key, moment in moments.items()}


def _as_typed(shown: TimeRange, zone: tzinfo) -> dict[str, str]:
    return {"from": _field(shown.start, zone), "to": _field(shown.end, zone)}


def _field(moment: datetime, zone: tzinfo) -> str:
    """As a browser's field for date and time holds it."""
    try:
        return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"
    except OverflowError:  # at the ends of time another zone has another year
        return ""
