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
from timings.models import MINUTE, Sample, SampleExtra, Series, Summary
from timings.wire import Sample as Arrived

WRITER_LOCK = 0x6B6F6465  # "kode": the advisory lock of whoever adds to summaries
# seq counts on from the present in 2^20 steps a second: it grows over restarts, and 48 bits last until 2034.
SEQ_EPOCH_S = 1_767_225_600  # 2026-01-01
SEQ_STEPS = 1 << 20

Name = tuple[str, str]  # key and token
Row = tuple[int, int, int, float]  # series, ts, seq, execution_time

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
        self._seq = 0

    def write(self, samples: Sequence[Arrived]) -> Stored:
        """Store a batch, all or nothing; the caller may add to the transaction by wrapping it."""
        with transaction.atomic():
            _lock_out_other_writers()
            self._number({(sample.key, sample.token) for sample in samples})
            rows, extras, beyond = self._rows(samples)
            _insert(rows)
            _insert_extras(extras)
            add_to_summaries(MINUTE, sums_by_span(rows, MINUTE))
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

    def forget(self) -> None:
        """Read the series anew with the next batch: after a transaction that failed, or a purge."""
        self._ids = {}


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


def sums_by_span(rows: Iterable[Row], length_s: int) -> dict[tuple[int, int], Sums]:
    """What the rows add up to, by series and beginning of their span."""
    times: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for series, ts, _seq, execution_time in rows:
        times[series, ts - ts % length_s].append(execution_time)
    return {
        span: Sums(
            len(values), sum(values), min(values), max(values), histogram.packed(histogram.bins_of(values))
        )
        for span, values in times.items()
    }


def add_to_summaries(level: int, sums: dict[tuple[int, int], Sums]) -> None:
    """Add to the summaries of these series and spans, which may exist or not."""
    if not sums:
        return
    for (series, start), stored in _stored_sums(level, sums).items():
        sums[series, start] += stored
    columns = ("level", "series_id", "start", "count", "total", "least", "most", "histogram")
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns[3:])
    sql = (
        f"INSERT INTO {Summary._meta.db_table} ({', '.join(columns)}) "  # noqa: S608  (names of ours alone)
        f"VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT (level, series_id, start) DO UPDATE SET {updates}"
    )
    values = [
        (level, *span, *added[:4], histogram.stored(added.histogram)) for span, added in sorted(sums.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _stored_sums(level: int, spans: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Sums]:
    """Those of the spans that have a summary already; a query for each beginning, of which there are few."""
    by_start: defaultdict[int, list[int]] = defaultdict(list)
    for series, start in spans:
        by_start[start].append(series)
    found = {}
    columns = ("series_id", "count", "total", "least", "most", "histogram")
    for start, series_ids in by_start.items():
        for place in range(0, len(series_ids), 500):
            some = series_ids[place : place + 500]
            rows = Summary.objects.filter(level=level, start=start, series_id__in=some)
            for series, count, total, least, most, data in rows.values_list(*columns):
                loaded = histogram.loaded(bytes(data))
                found[series, start] = Sums(count, total, least, most, loaded)
    return found
