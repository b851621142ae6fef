"""Storing samples, on a real database."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from timings import histogram
from timings.calls import Calls
from timings.models import DAY, EVER, HOUR, MINUTE, Sample, SampleExtra, Series, Summary
from timings.store import BLOCK, ROWS_TOGETHER, Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
T = 1_780_000_020  # a full minute


def call(second=0, execution_time=0.25, key="f", token="t", extra=""):
    return Arrived(key, token, T + second, execution_time, extra)


def write(store, samples):
    return store.write(Calls(samples))


def stored():
    return list(Sample.objects.values_list("series_id", "ts", "execution_time"))


def test_every_call_is_stored_once_also_within_a_second():
    done = write(Store(10), [call(0, 0.1), call(0, 0.1), call(5, 0.3)])
    series = Series.objects.get(key="f", token="t").pk
    assert stored() == [(series, T, 0.1), (series, T, 0.1), (series, T + 5, 0.3)]
    assert done == (3, {})


@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, 3 * BLOCK + ROWS_TOGETHER + 1])
@pytest.mark.parametrize("tokens", ["t", "tu"], ids=["one token", "two of them"])
def test_a_batch_of_calls_of_a_few_seconds_is_stored_whole_and_in_its_order(count, tokens):
    calls = [call(place // 120, place / 1000, token=token) for place in range(count) for token in tokens]
    assert write(Store(10), calls) == (count * len(tokens), {})
    of_one = [(T + place // 120, place / 1000) for place in range(count)]
    assert [row[1:] for row in stored()] == of_one * len(tokens)
    rows = Sample.objects.order_by("seq").values_list("execution_time", flat=True)
    assert list(rows) == [each.execution_time for each in calls]


@pytest.mark.parametrize("count", [1, ROWS_TOGETHER - 1, ROWS_TOGETHER, 2 * ROWS_TOGETHER + 3])
def test_a_batch_of_any_size_is_stored_whole_in_any_order_of_time(count):
    calls = [call(second, second / 100, key) for second in range(count) for key in "ab"]
    assert write(Store(10), calls[::-1]) == (2 * count, {})
    of_one = [(T + second, second / 100) for second in range(count)]
    assert [row[1:] for row in stored()] == of_one * 2


def test_calls_of_one_second_keep_their_order_over_a_restart():
    write(Store(10), [call(0, 0.3), call(0, 0.1)])
    write(Store(10), [call(0, 0.2)])
    assert [value for _, _, value in stored()] == [0.3, 0.1, 0.2]


def test_other_fields_stand_beside_the_call_that_has_them():
    write(Store(10), [call(0), call(1, extra='{"user":"Ann"}')])
    extra = SampleExtra.objects.get()
    assert (extra.ts, extra.fields) == (T + 1, '{"user":"Ann"}')
    assert Sample.objects.filter(series_id=extra.series_id, ts=extra.ts, seq=extra.seq).exists()


def test_a_minute_adds_up_over_batches():
    store = Store(10)
    write(store, [call(0, 0.1), call(59, 0.4), call(60, 9.0)])
    write(store, [call(30, 0.2)])
    first, second = Summary.objects.filter(level=MINUTE).order_by("start")
    assert (first.level, first.start, first.count, first.least, first.most) == (MINUTE, T, 3, 0.1, 0.4)
    assert first.total == pytest.approx(0.7)
    assert bytes(first.histogram) == histogram.stored(histogram.packed(histogram.bins_of([0.1, 0.2, 0.4])))
    assert (second.start, second.count) == (T + 60, 1)


def test_hours_days_and_all_time_add_up_too():
    store = Store(10)
    write(store, [call(0), call(3600), call(7200)])
    write(store, [call(86_400)])
    counts = Counter(Summary.objects.values_list("level", "count"))
    assert counts == {(MINUTE, 1): 4, (HOUR, 1): 4, (DAY, 3): 1, (DAY, 1): 1, (EVER, 4): 1}


def test_the_latest_call_of_a_series_is_kept_though_older_ones_follow():
    write(Store(10), [call(60)])
    write(Store(10), [call(0)])
    assert Series.objects.get().last_ts == T + 60


def test_beyond_the_limit_new_keys_are_refused_and_old_ones_unharmed():
    store = Store(2)
    write(store, [call(key="a"), call(key="b")])
    done = write(store, [call(key="c"), call(key="a"), call(key="a", token="other")])
    assert done == (1, {"too many keys": 2})
    assert list(Series.objects.values_list("key", "token")) == [("a", "t"), ("b", "t")]


def test_what_is_beyond_the_limit_costs_no_look_at_all_series(django_assert_num_queries):
    store = Store(2)
    write(store, [call(key="a"), call(key="b"), call(key="c")])
    with django_assert_num_queries(0 if connection.vendor == "sqlite" else 1):  # the lock
        assert write(store, [call(key=str(number)) for number in range(50)]) == (0, {"too many keys": 50})


@pytest.mark.parametrize(
    ("token", "done"),
    [
        pytest.param("t" * 200, (4, {}), id="letters, of a byte each"),
        pytest.param("".join(chr(0x20000 + 37 * n) for n in range(150)), (4, {}), id="as long as can be"),
        pytest.param(
            "".join(chr(0x20000 + 37 * n) for n in range(151)),
            (2, {"key and token too long": 2}),
            id="longer",
        ),
    ],
)
def test_a_name_that_no_index_takes_is_refused_and_keeps_nobody_back(token, done, django_assert_num_queries):
    key = "".join(chr(0x2A000 + (7919 * n) % 1000) for n in range(500))  # cannot be compressed
    calls = [call(0, key=key, token=token), call(1, key=key, token=token), call(0), call(1)]
    store = Store(10)
    assert write(store, calls) == done
    with django_assert_num_queries(0 if connection.vendor == "sqlite" else 1):  # the lock
        assert write(store, [call(key=key, token="😀" * 200)]) == (0, {"key and token too long": 1})


def test_where_some_series_were_deleted_there_is_room_again():
    store = Store(2)
    write(store, [call(key="a"), call(key="b"), call(key="c")])
    Series.objects.filter(key="a").delete()
    store.forget()
    assert write(store, [call(key="c")]) == (1, {})


def test_two_stores_know_each_others_series():
    one, other = Store(10), Store(10)
    write(one, [call(key="a")])
    write(other, [call(key="a"), call(key="b")])
    write(one, [call(key="b")])
    assert Series.objects.count() == 2
    assert [row.count for row in Summary.objects.filter(level=EVER).order_by("series_id")] == [2, 2]


def test_a_batch_costs_the_same_queries_for_one_call_and_for_many(django_assert_num_queries):
    store = Store(1000)
    write(store, [call(key=str(number)) for number in range(300)])
    with django_assert_num_queries(7):
        write(store, [call(second % 60, key=str(second % 300)) for second in range(2019)])


def test_on_sqlite_the_tables_are_their_own_index():
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's way to cluster")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%%WITHOUT ROWID' ORDER BY name")
        names = [name for (name,) in cursor.fetchall()]
    assert names == ["timings_sample", "timings_sampleextra", "timings_summary"]
