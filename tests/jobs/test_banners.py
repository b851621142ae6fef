from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import banners, queries, recording
from jobs.models import Checkpoint, JobRun
from tests.jobs.conftest import Start, finish

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 6, 2, 9, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def table(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"
    settings.TIME_ZONE = "Europe/Berlin"
    Checkpoint.objects.all().delete()


def ran(name: str, when: datetime, state: JobRun.State = JobRun.State.DONE, message: str = "") -> None:
    run, held = recording.start(name, {}, "cron", when)
    recording.finish(run, held, state, message, when)


def said(now: datetime = NOW) -> list[tuple[str, str]]:
    return [(banner.level, banner.text) for banner in banners.banners(now)]


def test_all_is_quiet_while_the_jobs_are_in_time() -> None:
    ran("sweep", NOW - timedelta(minutes=3))
    ran("nightly", NOW - timedelta(hours=6))
    assert said() == []


def test_a_late_job_makes_the_pages_old() -> None:
    ran("sweep", NOW - timedelta(minutes=9))
    words = "No run of “Look after everything” since 2025-06-02 10:54: what is shown is old."
    assert said() == [("warning", words)]


@pytest.mark.parametrize(
    ("minutes", "level"),
    [pytest.param(30, "warning", id="half-an-hour"), pytest.param(31, "danger", id="longer")],
)
def test_a_job_that_feeds_the_pages_turns_red_when_late_for_long(minutes: int, level: str) -> None:
    ran("sweep", NOW - timedelta(minutes=minutes))
    assert [each for each, _ in said()] == [level]


def test_another_late_job_is_yellow_and_says_nothing_of_the_pages() -> None:
    ran("sweep", NOW)
    ran("nightly", NOW - timedelta(days=9))
    assert said() == [("warning", "No run of “Tidy up at night” since 2025-05-24 11:03.")]


@pytest.mark.parametrize(
    ("minutes", "since"),
    [pytest.param(9, "10:54", id="today"), pytest.param(24 * 60, "2025-06-01 11:03", id="yesterday")],
)
def test_strangers_learn_only_that_what_is_shown_may_be_old(minutes: int, since: str) -> None:
    ran("sweep", NOW - timedelta(minutes=minutes))
    ran("nightly", NOW - timedelta(days=9))
    public = [banner.public_text for banner in banners.banners(NOW)]
    assert public == [f"What is shown may be old: no check has run since {since}.", ""]


def test_strangers_are_not_told_which_fault_of_our_own_it_was() -> None:
    ran("sweep", NOW - timedelta(minutes=1), JobRun.State.FAULT, "no answer of 10.0.0.1:8080")
    (banner,) = banners.banners(NOW)
    said = "What is shown may be old: checks have failed for a reason of our own since 11:02."
    assert banner.public_text == said


def test_a_running_job_is_not_late() -> None:
    recording.start("sweep", {}, "cron", NOW - timedelta(minutes=9))
    assert said() == []


def test_the_last_finished_run_tells_of_a_local_fault_also_while_the_next_one_runs() -> None:
    ran("sweep", NOW - timedelta(minutes=1), JobRun.State.FAULT, "no sandbox URL answered")
    recording.start("sweep", {}, "cron", NOW)
    words = "Local fault since 11:02, in “Look after everything”: no sandbox URL answered."
    assert said() == [("warning", words)]


FAULT, DONE = JobRun.State.FAULT, JobRun.State.DONE


@pytest.mark.parametrize(
    ("states", "since"),
    [
        pytest.param([FAULT, FAULT, FAULT], "11:00", id="unbroken"),
        pytest.param([FAULT, DONE, FAULT, FAULT], "11:01", id="broken-by-a-good-run"),
        pytest.param([FAULT, JobRun.State.FAILED, FAULT], "11:02", id="broken-by-another-failure"),
    ],
)
def test_a_local_fault_lasts_since_the_first_of_the_unbroken_row(
    states: list[JobRun.State], since: str, django_assert_num_queries
) -> None:
    ran("nightly", NOW)
    for minutes, state in zip(range(len(states), 0, -1), states, strict=True):
        ran("sweep", NOW - timedelta(minutes=minutes), state, "no sandbox URL answered")
    with django_assert_num_queries(1):
        ((_, words),) = said()
    assert words.startswith(f"Local fault since {since}, in")


def test_a_fault_of_another_day_names_its_day() -> None:
    for minutes in (24 * 60, 1):
        ran("sweep", NOW - timedelta(minutes=minutes), FAULT, "no sandbox URL answered")
    assert said()[0][1].startswith("Local fault since 2025-06-01 11:03, in")


def test_a_fault_is_over_with_the_next_good_run() -> None:
    ran("sweep", NOW - timedelta(minutes=2), JobRun.State.FAULT, "no sandbox URL answered")
    ran("sweep", NOW - timedelta(minutes=1))
    assert said() == []


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [pytest.param(11, [], id="just-installed"), pytest.param(16, ["sweep"], id="should-have-run")],
)
def test_a_job_that_never_ran_is_late_after_ten_minutes(minutes: int, expected: list[str]) -> None:
    queries.note_new_jobs(NOW - timedelta(minutes=minutes))
    queries.note_new_jobs(NOW)  # the next migration changes nothing
    late = [status.job.name for status in queries.statuses(NOW) if status.missed]
    assert late == expected
    assert len(said()) == len(expected)


def test_banners_cost_one_query_once_all_jobs_have_run(django_assert_num_queries) -> None:
    ran("sweep", NOW)
    ran("nightly", NOW)
    with django_assert_num_queries(1):
        said()


def test_migrating_another_app_first_does_no_harm(start: Start) -> None:
    code = """
from django.core.management import call_command
for words in (['jobs', 'zero'], ['contenttypes'], ['jobs']):
    call_command('migrate', *words, verbosity=0, skip_checks=True)
say(Checkpoint.objects.filter(key='known since').count() == len(__import__('djamon.schedule').schedule.JOBS))
"""
    assert finish(start(code)) == (0, "True\n")
