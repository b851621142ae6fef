"""What is deleted of timings, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from timings import retention
from timings.calls import Calls
from timings.models import DAY, EVER, HOUR, MINUTE, Receiver, Sample, SampleExtra, Summary
from timings.store import Store
from timings.wire import Sample as Arrived

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY_S = 86_400


class Context:
    def progress(self, done, total, message=""):
        self.last = (done, total)

    def hold(self):
        pass


def store(*days_old, key="f", extra=""):
    Store(100).write(Calls([Arrived(key, "t", NOW_S - int(days * DAY_S), 0.5, extra) for days in days_old]))


def purge(settings):
    settings.TIMINGS_KEEP_DAYS, settings.TIMINGS_MINUTES_KEEP_DAYS, settings.TIMINGS_HOURS_KEEP_DAYS = (
        7,
        30,
        365,
    )
    return retention.purge(Context(), NOW, pause=lambda _seconds: None)


def test_each_level_is_kept_for_its_own_time(settings):
    store(1, 8, 31, 366, extra='{"a":1}')
    store(10, key="g")
    said = purge(settings)
    assert list(Sample.objects.values_list("ts", flat=True)) == [NOW_S - DAY_S]
    assert SampleExtra.objects.count() == 1
    counts = {level: Summary.objects.filter(level=level).count() for level in (MINUTE, HOUR, DAY, EVER)}
    assert counts == {MINUTE: 3, HOUR: 4, DAY: 5, EVER: 2}
    assert said == "4 calls deleted that are older than 7 days, and the sums of 2 minutes and 1 hours"


def test_it_goes_in_batches_and_ends_with_nothing_old(settings, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    store(*(8 + n / DAY_S for n in range(10)), 1)
    purge(settings)
    assert Sample.objects.count() == 1


@pytest.mark.parametrize(
    ("days_silent", "left"),
    [([0, 6, 8, 100], [0, 6]), ([8, 100], [8]), ([], [])],
    ids=["some", "all", "none"],
)
def test_receivers_go_when_they_were_silent_for_as_long_but_the_last(settings, days_silent, left):
    for days in days_silent:
        Receiver.objects.create(address=f"127.0.0.1:{days}", started=NOW, updated=NOW - timedelta(days=days))
    purge(settings)
    ports = Receiver.objects.order_by("-updated").values_list("address", flat=True)
    assert [int(address.rpartition(":")[2]) for address in ports] == left


def test_with_nothing_old_nothing_goes(settings):
    store(1, 2)
    assert purge(settings).startswith("0 calls deleted")
    assert Sample.objects.count() == 2
