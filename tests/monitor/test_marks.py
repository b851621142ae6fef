"""Marks of open pages: what changes one, what leaves it as it is, and what a stranger's may not tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from alerts.models import Alert, Attempt, Delivery
from alerts.outbox import AlertDraft, enqueue
from jobs import recording
from jobs.models import JobRun
from monitor import notes
from monitor.marks import Subject, frame_at, mark_of, marks
from monitor.messages import reference
from monitor.models import Group, Outage, OutageSites, Site
from tests.monitor.factories import make_outage, make_up

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return make_up(NOW, slug="shop")


@pytest.fixture
def outage(site) -> Outage:
    return make_outage(site, opened_at=NOW - MINUTE)


def of(kind, key="", *, insider=True, at=NOW) -> str:
    return mark_of(Subject(kind, str(key), insider), frame_at(at))


# --- A site --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"last_checked": NOW},
        {"state": "down"},
        {"failures": 1},
        {"enabled": False},
        {"name": "Shop!"},
        {"last_reason": "HTTP 304"},
        {"certificate_ends": NOW},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_site_shows_changes_its_mark(site, change) -> None:
    before = of("site", "shop")
    Site.objects.filter(pk=site.pk).update(**change)
    assert of("site", "shop") != before


def test_another_site_and_a_moment_leave_it_as_it_is(site) -> None:
    before = of("site", "shop")
    make_up()
    assert of("site", "shop", at=NOW + SECOND) == before


@pytest.mark.parametrize(
    "later", [timedelta(minutes=3), timedelta(minutes=16), timedelta(days=1)], ids=["ago", "old", "midnight"]
)
def test_time_alone_changes_it_in_the_end(site, later) -> None:
    assert of("site", "shop", at=NOW + later) != of("site", "shop")


def test_a_run_that_met_a_fault_of_our_own_changes_all_marks(site, outage) -> None:
    subjects = [Subject("site", "shop", True), Subject("outage", str(outage.pk), True)]
    now = timezone.now()
    before = marks(subjects, frame_at(now))
    run, held = recording.start("probe", {}, "cron", now)
    recording.finish(run, held, JobRun.State.FAULT, "our own connection is in doubt", now)
    after = marks(subjects, frame_at(now))
    assert [after[subject] != before[subject] for subject in subjects] == [True, True]


@pytest.mark.parametrize("key", ["", "nobody", "shop\0", "shop/../x", "x" * 5000])
def test_what_is_no_site_has_no_mark(site, key) -> None:
    assert of("site", key) == ""


def test_strangers_learn_nothing_of_internal_sites(site) -> None:
    Group.objects.update(internal=True)
    assert of("site", "shop", insider=False) == ""
    assert of("site", "shop") != ""


# --- Outages -------------------------------------------------------------------------------------
def fall(outage: Outage, site: Site) -> None:
    OutageSites.objects.create(
        outage=outage, site=site, site_name=site.name, site_url=site.url, fell_at=NOW, reason="refused"
    )


def alert(outage: Outage) -> None:
    enqueue(AlertDraft(reference(outage.pk), "s", "t", "h", None), NOW, [])


def attempt(delivery: Delivery) -> None:
    Attempt.objects.create(delivery=delivery, at=NOW, ok=False, result="refused")


HAPPENINGS = {
    "another site falls": lambda outage, staff: fall(outage, make_up()),
    "a site comes back": lambda outage, staff: outage.falls.update(back_at=NOW),
    "it is over": lambda outage, staff: Outage.objects.update(resolved_at=NOW),
    "a note is written": lambda outage, staff: notes.add(outage, staff, "The disk.", NOW),
    "an alert is written": lambda outage, staff: alert(outage),
}


@pytest.mark.parametrize("happens", HAPPENINGS.values(), ids=HAPPENINGS)
def test_what_happens_changes_the_mark_of_an_outage(outage, staff, happens) -> None:
    before = of("outage", outage.pk)
    happens(outage, staff)
    assert of("outage", outage.pk) != before


@pytest.mark.parametrize(
    "happens",
    [attempt, lambda delivery: Delivery.objects.update(state=Delivery.State.DROPPED)],
    ids=["a try", "given up"],
)
def test_what_becomes_of_an_alert_changes_the_mark_of_its_outage_for_people(outage, happens) -> None:
    alert(outage)
    delivery = Delivery.objects.create(alert=Alert.objects.get(), channel="email", next_try=NOW)
    before, stranger = of("outage", outage.pk), of("outage", outage.pk, insider=False)
    happens(delivery)
    assert of("outage", outage.pk) != before
    assert of("outage", outage.pk, insider=False) == stranger


def test_an_open_outage_lasts_a_minute_longer_and_one_that_is_over_does_not(outage) -> None:
    assert of("outage", outage.pk, at=NOW + MINUTE) != of("outage", outage.pk)
    Outage.objects.update(resolved_at=NOW)
    assert of("outage", outage.pk, at=NOW + MINUTE) == of("outage", outage.pk)


def test_the_list_changes_with_its_newest_outage(site, outage) -> None:
    before = of("outages")
    outage.falls.update(back_at=NOW)
    Outage.objects.update(resolved_at=NOW)
    over = of("outages")
    make_outage(site, opened_at=NOW + SECOND)
    assert len({before, over, of("outages")}) == 3


@pytest.mark.parametrize("key", ["", "0", "9" * 18, "9" * 30, "-1", "x"])
def test_what_is_no_outage_has_no_mark(key) -> None:
    assert of("outage", key) == ""


def test_strangers_learn_nothing_of_outages_of_internal_sites(site, outage) -> None:
    listed = of("outages", insider=False)
    Group.objects.update(internal=True)
    assert of("outage", outage.pk, insider=False) == ""
    before = of("outages", insider=False)
    assert before != listed
    fall(outage, make_up(group=site.group))
    assert of("outages", insider=False) == before


@pytest.mark.parametrize("pages", [1, 300])
def test_many_pages_cost_as_many_queries_as_one(site, outage, django_assert_max_num_queries, pages) -> None:
    subjects = [Subject("site", f"shop-{number}", True) for number in range(pages - 1)]
    subjects += [Subject("site", "shop", True), Subject("outage", str(outage.pk), True)]
    with django_assert_max_num_queries(14):
        assert len(marks(subjects, frame_at(NOW))) == 2
