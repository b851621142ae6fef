"""Uptime that the process keeps: how old it may be, who waits for it, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.db import DatabaseError

from monitor import uptimes
from monitor.models import Site
from monitor.rollups import roll_up
from monitor.uptime import Figures, Uptime, of_sites
from monitor.uptimes import Uptimes
from tests.monitor.factories import make_site, make_view
from tests.monitor.test_rollups import Context

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PATIENCE_S = 5


class Sums:
    """Stands for adding up: counts how often it was asked, and waits where it is told to."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.may_end = Event()
        self.may_end.set()
        self.error: Exception | None = None

    def __call__(self, now: datetime) -> Mapping[int, Figures]:
        self.asked.append(now)
        assert self.may_end.wait(PATIENCE_S)
        if self.error:
            raise self.error
        return {1: Figures(day=Uptime(up=len(self.asked)))}


@pytest.fixture
def sums() -> Sums:
    return Sums()


@pytest.fixture
def kept(sums: Sums) -> Iterator[Uptimes]:
    kept = Uptimes(lambda: sums)
    yield kept
    sums.may_end.set()
    kept.clear()  # waits for a thread that is under way


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ups(kept: Uptimes, now: datetime) -> int:
    return kept.read(now).figures[1].day.up


@pytest.mark.parametrize("seconds", [0, 60, -60], ids=["at once", "a minute later", "a clock set back"])
def test_figures_are_good_for_a_minute(kept, sums, seconds) -> None:
    kept.read(NOW)
    assert ups(kept, after(seconds)) == 1
    assert sums.asked == [NOW]


def test_older_ones_are_shown_while_new_ones_are_added_up_once(kept, sums) -> None:
    kept.read(NOW)
    sums.may_end.clear()
    assert [ups(kept, after(61)) for _ in range(3)] == [1, 1, 1]
    sums.may_end.set()
    kept._computing.acquire(timeout=PATIENCE_S)
    kept._computing.release()
    assert ups(kept, after(62)) == 2
    assert sums.asked == [NOW, after(61)]


@pytest.mark.parametrize("seconds", [301, -301], ids=["too old", "of the future"])
def test_nobody_reads_figures_of_another_time(kept, seconds) -> None:
    kept.read(NOW)
    assert ups(kept, after(seconds)) == 2


def test_two_readers_without_figures_wait_for_one_computation(kept, sums) -> None:
    sums.may_end.clear()
    found: list[int] = []
    readers = [Thread(target=lambda: found.append(ups(kept, NOW))) for _ in range(2)]
    for reader in readers:
        reader.start()
    sums.may_end.set()
    for reader in readers:
        reader.join(PATIENCE_S)
    assert found == [1, 1]


def test_a_failure_leaves_the_old_figures_and_is_told_once(kept, sums, caplog) -> None:
    kept.read(NOW)
    sums.error = DatabaseError("locked")
    for seconds in (61, 62, 63):
        assert ups(kept, after(seconds)) == 1
        with kept._computing:
            pass
    assert [record.message for record in caplog.records] == ["Uptime could not be added up."]


def test_a_reader_without_figures_meets_the_error_and_the_next_one_tries_again(kept, sums) -> None:
    sums.error = DatabaseError("gone")
    with pytest.raises(DatabaseError):
        kept.read(NOW)
    sums.error = None
    assert ups(kept, NOW) == 2


@pytest.mark.django_db
def test_the_process_keeps_the_uptime_of_every_site() -> None:
    site, silent = make_site(), make_site()
    make_view(site, NOW - timedelta(minutes=1))
    figures = uptimes.kept.read(NOW).figures
    assert figures[site.pk].day.percent == "100 %"
    assert figures[silent.pk].day.percent == "–"


@pytest.mark.django_db(transaction=True)
def test_new_figures_come_from_the_database_in_the_background() -> None:
    site = make_site()
    make_view(site, NOW)
    uptimes.kept.read(NOW)
    make_view(site, after(30), verdict=2)
    uptimes.kept.read(after(61))
    with uptimes.kept._computing:
        pass
    assert uptimes.kept.read(after(62)).figures[site.pk].day.percent == "50.00 %"


@pytest.mark.django_db
def test_what_is_rolled_up_is_read_once_an_hour(django_assert_num_queries) -> None:
    site = make_site()
    make_view(site, NOW - timedelta(hours=1))
    roll_up(Context(), NOW)
    compute = uptimes._OfAll()
    for minutes, queries in ((1, 5), (59, 3), (61, 5)):
        make_view(site, after(60 * minutes), verdict=2)
        with django_assert_num_queries(queries):
            figures = compute(after(60 * minutes))
    assert figures[site.pk].day.percent == "25.00 %"
    assert figures == of_sites([site], after(61 * 60))


# --- Sites that failed or rose since ----------------------------------------------------------------
def percent(site: Site, now: datetime) -> str:
    return uptimes.current(now).figures[site.pk].day.percent


def answered(site: Site, at: datetime, verdict: int, **fields: object) -> None:
    """As a run records it."""
    make_view(site, at, verdict=verdict)
    Site.objects.filter(pk=site.pk).update(last_checked=at, last_verdict=verdict, **fields)


@pytest.mark.django_db
def test_no_site_is_shown_with_figures_from_before_it_failed_or_rose() -> None:
    site, other = make_site(), make_site()
    answered(site, NOW, 1)
    answered(other, NOW, 1)
    assert percent(site, after(1)) == "100 %"
    answered(site, after(10), 2)
    assert percent(site, after(11)) == "50.00 %"
    answered(site, after(20), 2)
    assert percent(site, after(21)) == "33.33 %"
    answered(site, after(30), 1, state="up", state_since=after(30))
    assert percent(site, after(31)) == "50.00 %"
    assert uptimes.current(after(31)).at == after(1)  # those of all others are kept


@pytest.mark.django_db
def test_what_moved_is_added_up_once(django_assert_num_queries) -> None:
    site = make_site()
    percent(site, NOW)
    answered(site, after(10), 2)
    percent(site, after(11))
    with django_assert_num_queries(1):
        percent(site, after(12))


def test_where_very_many_moved_all_are_added_up(kept, sums) -> None:
    kept.read(NOW)
    many = dict.fromkeys(range(501), after(1))
    known = kept.read_with(lambda since: many, lambda keys, now: {}, after(2))
    assert (known.at, sums.asked) == (after(2), [NOW, after(2)])
