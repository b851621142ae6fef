"""What is known of a job from its last runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import recording
from jobs.models import Checkpoint, JobRun
from jobs.queries import are_pages_in_doubt

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 6, 2, 9, 3, tzinfo=UTC)

CASES = {
    "done in time": (3, JobRun.State.DONE, False),
    "failed in time": (3, JobRun.State.FAILED, False),
    "a fault of our own": (3, JobRun.State.FAULT, True),
    "missed its time": (60, JobRun.State.DONE, True),
}


@pytest.mark.parametrize(("minutes_ago", "state", "doubt"), CASES.values(), ids=CASES.keys())
def test_what_the_pages_show_is_in_doubt(minutes_ago, state, doubt, settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"
    Checkpoint.objects.all().delete()
    when = NOW - timedelta(minutes=minutes_ago)
    run, held = recording.start("sweep", {}, "cron", when)
    recording.finish(run, held, state, "", when)
    assert are_pages_in_doubt(NOW) is doubt


def test_a_job_that_feeds_no_page_puts_none_in_doubt(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"
    run, held = recording.start("nightly", {}, "cron", NOW)
    recording.finish(run, held, JobRun.State.FAULT, "", NOW)
    Checkpoint.objects.all().delete()
    assert not are_pages_in_doubt(NOW)
