"""Writes samples: the batch, what its minutes add up to and the receiver's figures, in one transaction.

Nothing else writes samples. One writer at a time: on SQLite by itself, on PostgreSQL under an advisory lock,
because summaries are read, added to and written back.
"""

from __future__ import annotations

import struct
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from timings import histogram
from timings.models import LEVELS, MINUTE, Sample, SampleExtra, Series, Summary
from timings.wire import Sample as Arrived

WRITER_LOCK = 0x6B6F6465  # "kode": the advisory lock of whoever adds to summaries
# seq counts on from the present in 2^20 steps a second: it grows over restarts, and 48 bits last until 2034.
SEQ_EPOCH_S = 1_767_225_600  # 2026-01-01
SEQ_STEPS = 1 << 20

Name = tuple[str, str]  # key and token
Row = tuple[int, int, int, float]  # series, ts, seq, execution_time
Span = tuple[int, int, int]  # level, series, start
TOGETHER = 500  # series that one query names

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
COPY_ROW = struct.Struct("!hiiiqiqid")
COPY_END = struct.pack("!h", -1)


class Sums(NamedTuple):
    """Calls of a span: ``total``, ``least`` and ``most`` in seconds, the histogram as in memory."""

    calls: int
    total: float
    least: float
    most: float
    histogram: int

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]  # these are sums, not a row of fields
        return Sums(
            self.calls + other.calls,
            self.total + other.total,
            min(self.least, other.least),
            max(self.most, other.most),
            self.histogram + other.histogram,
        )


class Stored(NamedTuple):
    """What became of a batch: how many samples were stored, how many refused and why."""

    samples: int
    refused: Counter[str]


class Store:
    """``max_series`` bounds how many pairs of key and token there can be; what is beyond is refused."""

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._ids: dict[Name, int] = {}
        self._last: dict[int, int] = {}
        self._seq = 0

    def write(self, samples: Sequence[Arrived]) -> Stored:
        """Store a batch, all or nothing; the caller may add to the transaction by wrapping it."""
        with transaction.atomic():
            _lock_out_other_writers()
            self._number({(sample.key, sample.token) for sample in samples})
            rows, extras, beyond = self._rows(samples)
            _insert(rows)
            _insert_extras(extras)
            _add_to_summaries(sums_of(rows))
            self._note_last(rows)
        refused = Counter({"too many keys": beyond}) if beyond else Counter[str]()
        return Stored(len(rows), refused)

    def _number(self, names: Iterable[Name]) -> None:
        """Look up, or make, the series of these names, as far as there is room."""
        unknown = sorted(name for name in names if name not in self._ids)
        if not unknown:
            return
        self._ids = {(key, token): pk for pk, key, token in Series.objects.values_list("pk", "key", "token")}
        missing = [name for name in unknown if name not in self._ids]
        room = max(0, self._max_series - len(self._ids))
        now = timezone.now()
        made = Series.objects.bulk_create(
            [Series(key=key, token=token, first_seen=now) for key, token in missing[:room]], batch_size=500
        )
        self._ids |= {(series.key, series.token): series.pk for series in made}

    def _rows(self, samples: Sequence[Arrived]) -> tuple[list[Row], list[tuple[int, int, int, str]], int]:
        self._seq = seq = max(self._seq, int((time.time() - SEQ_EPOCH_S) * SEQ_STEPS))
        ids, beyond = self._ids, 0
        rows: list[Row] = []
        extras = []
        for key, token, ts, execution_time, extra in samples:
            series = ids.get((key, token))
            if series is None:
                beyond += 1
                continue
            seq += 1
            rows.append((series, ts, seq, execution_time))
            if extra is not None:
                extras.append((series, ts, seq, extra))
        self._seq = seq
        rows.sort()  # neighbours in the table come one after the other
        return rows, extras, beyond

    def _note_last(self, rows: Sequence[Row]) -> None:
        """The last call of each series; the rows are in the order of series and time."""
        last = {series: ts for series, ts, _seq, _time in rows}
        later = [(ts, series) for series, ts in last.items() if ts > self._last.get(series, 0)]
        self._last |= {series: ts for ts, series in later}
        if later:
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"UPDATE {Series._meta.db_table} SET last_ts = %s WHERE id = %s AND last_ts < %s",  # noqa: S608
                    [(ts, series, ts) for ts, series in later],
                )

    def forget(self) -> None:
        """Read the series anew with the next batch: after a transaction that failed, or a purge."""
        self._ids = {}
        self._last = {}


def _lock_out_other_writers() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])


def _insert(rows: list[Row]) -> None:
    if not rows:
        return
    table = Sample._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            copy_sql = f"COPY {table} (series_id, ts, seq, execution_time) FROM STDIN (FORMAT BINARY)"
            with connection.wrap_database_errors, cursor.copy(copy_sql) as copy:
                pack = COPY_ROW.pack
                body = [pack(4, 4, series, 8, ts, 8, seq, 8, value) for series, ts, seq, value in rows]
                copy.write(b"".join([COPY_HEADER, *body, COPY_END]))
        else:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", rows)  # noqa: S608


def _insert_extras(extras: list[tuple[int, int, int, str]]) -> None:
    if extras:
        table = SampleExtra._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", extras)  # noqa: S608


def sums_of(rows: Iterable[Row]) -> dict[Span, Sums]:
    """What the rows add up to, in the spans of every level."""
    times: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for series, ts, _seq, execution_time in rows:
        times[series, ts - ts % MINUTE].append(execution_time)
    sums: dict[Span, Sums] = {}
    for (series, minute), values in times.items():
        bins = histogram.packed(histogram.bins_of(values))
        added = Sums(len(values), sum(values), min(values), max(values), bins)
        for level in LEVELS:
            span = (level, series, minute - minute % level if level else 0)
            sums[span] = sums[span] + added if span in sums else added
    return sums


def _add_to_summaries(sums: dict[Span, Sums]) -> None:
    """Add to the summaries of these spans, which may exist or not."""
    for span, stored in _stored_sums(sums).items():
        sums[span] += stored
    columns = ("level", "series_id", "start", "count", "total", "least", "most", "histogram")
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns[3:])
    sql = (
        f"INSERT INTO {Summary._meta.db_table} ({', '.join(columns)}) "  # noqa: S608  (names of ours alone)
        f"VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT (level, series_id, start) DO UPDATE SET {updates}"
    )
    values = [(*span, *added[:4], histogram.stored(added.histogram)) for span, added in sorted(sums.items())]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)


def _stored_sums(spans: Iterable[Span]) -> dict[Span, Sums]:
    """Those of the spans that have a summary already: a query for each level and beginning, of which a batch
    has few, and each 500 series.
    """
    series_of: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for level, series, start in spans:
        series_of[level, start].append(series)
    columns = ("series_id", "count", "total", "least", "most", "histogram")
    found: dict[Span, Sums] = {}
    for (level, start), some in series_of.items():
        for place in range(0, len(some), TOGETHER):
            rows = Summary.objects.filter(
                level=level, start=start, series_id__in=some[place : place + TOGETHER]
            )
            for series, count, total, least, most, data in rows.values_list(*columns):
                sums = Sums(count, total, least, most, histogram.loaded(bytes(data)))
                found[level, series, start] = sums
    return found
