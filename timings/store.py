"""Writes samples: the batch, what its minutes add up to and the receiver's figures, in one transaction.

Nothing else writes samples. One writer at a time: on SQLite by itself, on PostgreSQL under an advisory lock,
because summaries are read, added to and written back.
"""

from __future__ import annotations

import struct
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from timings import histogram
from timings.calls import Calls, Column, Name
from timings.models import LEVELS, MINUTE, SampleExtra, Series, Summary
from timings.models import Sample as SampleRow

WRITER_LOCK = 0x6B6F6465  # "kode": the advisory lock of whoever adds to summaries
# seq counts on from the present in 2^20 steps a second: it grows over restarts, and 48 bits last until 2034.
SEQ_EPOCH_S = 1_767_225_600  # 2026-01-01
SEQ_STEPS = 1 << 20

Span = tuple[int, int, int]  # level, series, start
Extra = tuple[int, int, int, str]  # series, ts, seq, fields as JSON
SPANS_TOGETHER = 500  # that one query names
COLUMNS = 4  # of a row of samples
ROWS_TOGETHER = 20  # of one statement: a statement for each row takes twice as long
BLOCK = 50  # calls of a second that one statement takes by their times alone: in half the time again
# Where a row is refused, the whole transaction goes: FAIL saves SQLite from copying what a statement changes.
INSERT_SQL = "INSERT OR FAIL INTO {} VALUES {}"
LOOK_AGAIN_S = 10.0  # while there is no room for new series, names that are unknown are looked up so seldom
TOO_MANY = "too many keys"
LONGEST_NAME = 2600  # bytes of key and token together: an index of PostgreSQL takes 2,704, its own included
TOO_LONG = "key and token too long"

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


class Ordered(NamedTuple):
    """The rows of a series, ordered by time: a tuple for each would cost a tenth of all."""

    series: int
    stamps: Sequence[int]
    numbers: Sequence[int]
    times: Sequence[float]


class Rows(NamedTuple):
    """What a batch becomes; ``last``: the latest call of each series."""

    columns: list[Ordered]
    extras: list[Extra]
    sums: dict[Span, Sums]
    last: dict[int, int]

    @property
    def stored(self) -> int:
        return sum(len(each.stamps) for each in self.columns)


class Store:
    """``max_series`` bounds how many pairs of key and token there can be; what is beyond is refused."""

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._ids: dict[Name, int] = {}
        self._last: dict[int, int] = {}
        self._seq = 0
        self._full_until = 0.0  # of time.monotonic()

    def write(self, calls: Calls) -> Stored:
        """Store a batch, all or nothing; the caller may add to the transaction by wrapping it."""
        first = max(self._seq, int((time.time() - SEQ_EPOCH_S) * SEQ_STEPS)) + 1
        self._seq = first + len(calls) - 1
        by_name = calls.by_name(first)
        with transaction.atomic(savepoint=False):  # SQLite copies each page that is written within one
            _lock_out_other_writers()
            self._number(by_name)
            found = self._rows(by_name)
            _insert(found.columns)
            _insert_extras(found.extras)
            _add_to_summaries(found.sums)
            self._note_last(found.last)
        if found.stored == len(calls):
            return Stored(found.stored, Counter())
        too_long = sum(len(column.times) for name, column in by_name.items() if not _fits(name))
        beyond = len(calls) - found.stored - too_long
        return Stored(found.stored, +Counter({TOO_LONG: too_long, TOO_MANY: beyond}))

    def _number(self, names: Iterable[Name]) -> None:
        """Look up, or make, the series of these names, as far as there is room."""
        unknown = sorted(name for name in names if name not in self._ids and _fits(name))
        if not unknown or time.monotonic() < self._full_until:
            return
        self._ids = {(key, token): pk for pk, key, token in Series.objects.values_list("pk", "key", "token")}
        missing = [name for name in unknown if name not in self._ids]
        room = max(0, self._max_series - len(self._ids))
        now = timezone.now()
        made = Series.objects.bulk_create(
            [Series(key=key, token=token, first_seen=now) for key, token in missing[:room]], batch_size=500
        )
        self._ids |= {(series.key, series.token): series.pk for series in made}
        if len(missing) > room:  # nobody else can make one either: only a deletion changes that
            self._full_until = time.monotonic() + LOOK_AGAIN_S

    def _rows(self, by_name: Mapping[Name, Column]) -> Rows:
        """By series, and by time within: neighbours in the table come one after the other."""
        found = Rows([], [], {}, {})
        known = ((self._ids[name], column) for name, column in by_name.items() if name in self._ids)
        for series, column in sorted(known, key=itemgetter(0)):
            found.extras.extend(_extras(series, column))
            stamps, numbers, times = _in_time(column)
            found.columns.append(Ordered(series, stamps, numbers, times))
            found.sums.update(sums_of(series, stamps, times))
            found.last[series] = stamps[-1]
        return found

    def _note_last(self, last: Mapping[int, int]) -> None:
        """The last call of each series."""
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
        self._full_until = 0.0


def _fits(name: Name) -> bool:
    return sum(len(part.encode()) for part in name) <= LONGEST_NAME


def _extras(series: int, column: Column) -> list[Extra]:
    return [
        (series, column.stamps[place], column.numbers[place], fields)
        for place, fields in column.extras.items()
    ]


def _in_time(column: Column) -> tuple[Sequence[int], Sequence[int], Sequence[float]]:
    """Seconds, numbers and times, ordered by the seconds; calls of the same one stay in their order."""
    stamps, times, numbers, _ = column
    if stamps.count(stamps[0]) == len(stamps) or stamps == sorted(stamps):
        return stamps, numbers, times
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    return sorted(stamps), [numbers[at] for at in order], [times[at] for at in order]


def _lock_out_other_writers() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])


def _insert(columns: Sequence[Ordered]) -> None:
    if not columns:
        return
    table = SampleRow._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            copy_sql = f"COPY {table} (series_id, ts, seq, execution_time) FROM STDIN (FORMAT BINARY)"
            with connection.wrap_database_errors, cursor.copy(copy_sql) as copy:
                for copied in _copied(columns):
                    copy.write(copied)
            return
        blocks, values = _blocks(columns)
        if blocks:
            rows = ", ".join(f"(?1, ?2, ?3 + {place}, ?{4 + place})" for place in range(BLOCK))
            cursor.executemany(INSERT_SQL.format(table, rows), blocks)
        whole = len(values) - len(values) % (COLUMNS * ROWS_TOGETHER)
        for part, count in ((values[:whole], ROWS_TOGETHER), (values[whole:], 1)):
            rows, size = ", ".join(["(%s, %s, %s, %s)"] * count), COLUMNS * count
            statements = [part[at : at + size] for at in range(0, len(part), size)]
            if statements:
                cursor.executemany(INSERT_SQL.format(table, rows), statements)


def _blocks(columns: Iterable[Ordered]) -> tuple[list[list[float]], list[float]]:
    """Series, second, first number and BLOCK times each; and the values of the rows beside, one by one."""
    blocks: list[list[float]] = []
    beside: list[float] = []
    for series, stamps, numbers, times in columns:
        at = 0
        while at < len(stamps):
            ts = stamps[at]
            end = bisect_right(stamps, ts, at)
            # Only a range is known to have no gaps.
            whole = end - (end - at) % BLOCK if isinstance(numbers, range) else at
            for first in range(at, whole, BLOCK):
                blocks.append([series, ts, numbers[first], *times[first : first + BLOCK]])
            rest = zip(repeat(series), repeat(ts), numbers[whole:end], times[whole:end], strict=False)
            beside.extend(chain.from_iterable(rest))
            at = end
    return blocks, beside


def _copied(columns: Iterable[Ordered]) -> Iterator[bytes]:
    """The rows as COPY takes them; in parts, as all together take a fifth of the memory of the receiver."""
    pack = COPY_ROW.pack
    yield COPY_HEADER
    for series, stamps, numbers, times in columns:
        rows = zip(stamps, numbers, times, strict=True)
        yield b"".join([pack(COLUMNS, 4, series, 8, ts, 8, seq, 8, time) for ts, seq, time in rows])
    yield COPY_END


def _insert_extras(extras: list[Extra]) -> None:
    if extras:
        table = SampleExtra._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", extras)  # noqa: S608


def sums_of(series: int, stamps: Sequence[int], times: Sequence[float]) -> dict[Span, Sums]:
    """What the calls of a series, ordered by time, add up to in the spans of every level."""
    sums: dict[Span, Sums] = {}
    for minute, values in _by_minute(stamps, times).items():
        bins = histogram.packed(histogram.bins_of(values))
        added = Sums(len(values), sum(values), min(values), max(values), bins)
        for level in LEVELS:
            span = (level, series, minute - minute % level if level else 0)
            sums[span] = sums[span] + added if span in sums else added
    return sums


def _by_minute(stamps: Sequence[int], times: Sequence[float]) -> Mapping[int, Sequence[float]]:
    first = stamps[0] // MINUTE
    if first == stamps[-1] // MINUTE:  # nearly always
        return {first * MINUTE: times}
    found: defaultdict[int, list[float]] = defaultdict(list)
    for ts, value in zip(stamps, times, strict=True):
        found[ts - ts % MINUTE].append(value)
    return found


def _add_to_summaries(sums: dict[Span, Sums]) -> None:
    """Add to the summaries of these spans, which may exist or not."""
    for span, stored in list(_stored_sums(sums)):
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


def _stored_sums(spans: Iterable[Span]) -> Iterator[tuple[Span, Sums]]:
    """Those of the spans that have a summary already, each looked up by its key."""
    wanted = list(spans)
    # CROSS JOIN keeps SQLite to this order: first what is wanted, then its row.
    sql = (
        "WITH wanted (level, series_id, start) AS (VALUES {places}) "  # noqa: S608  (names of ours alone)
        "SELECT found.level, found.series_id, found.start, count, total, least, most, histogram "
        f"FROM wanted CROSS JOIN {Summary._meta.db_table} AS found WHERE found.level = wanted.level "
        "AND found.series_id = wanted.series_id AND found.start = wanted.start"
    )
    with connection.cursor() as cursor:
        for place in range(0, len(wanted), SPANS_TOGETHER):
            some = wanted[place : place + SPANS_TOGETHER]
            cursor.execute(sql.format(places=", ".join(["(%s, %s, %s)"] * len(some))), list(chain(*some)))
            for level, series, start, count, total, least, most, data in cursor.fetchall():
                sums = Sums(count, total, least, most, histogram.loaded(bytes(data)))
                yield (level, series, start), sums
