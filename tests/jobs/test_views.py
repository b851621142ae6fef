from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from jobs import recording
from jobs.models import JobRun
from jobs.periodic import PeriodicJob
from tests.jobs import tables

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table(settings) -> None:
    settings.PERIODIC_JOBS = "tests.jobs.tables.TWO"


def add_runs(count: int, name: str = "sweep") -> None:
    now = timezone.now()
    for n in range(count):
        run, held = recording.start(name, {}, "cron", now - timedelta(minutes=n))
        recording.finish(run, held, JobRun.State.DONE, f"asked {n} sites", now - timedelta(minutes=n))


def page(client: Client, path: str = "/jobs/", **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_staff_and_members_see_the_jobs(staff_client: Client, member_client: Client) -> None:
    add_runs(1)
    for client in (staff_client, member_client):
        text = page(client)
        assert "Look after everything" in text
        assert "<code>*/5 * * * *</code>" in text
        assert "asked 0 sites" in text


def test_only_staff_are_offered_to_run(staff_client: Client, member_client: Client) -> None:
    assert "/jobs/sweep/run/" in page(staff_client)
    assert "/jobs/sweep/run/" not in page(member_client)


@pytest.mark.parametrize("public", [False, True], ids=["closed", "public-status"])
def test_a_stranger_must_log_in_also_where_the_status_is_public(
    public: bool, stranger_client: Client, settings
) -> None:
    settings.PUBLIC_STATUS = public
    answer = stranger_client.get("/jobs/")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/jobs/"


def test_where_nothing_ever_ran_the_page_says_what_to_do(member_client: Client) -> None:
    text = page(member_client)
    assert "make run" in text
    assert "manage.py crontab --install" in text


def test_a_late_job_is_marked_in_words(member_client: Client) -> None:
    add_runs(1)
    JobRun.objects.update(started=timezone.now() - timedelta(hours=1))
    text = page(member_client)
    assert "Late: it was due at" in text
    assert "No run of “Look after everything” since" in text


def test_a_job_in_time_is_not_late(member_client: Client) -> None:
    add_runs(1, "sweep")
    add_runs(1, "nightly")
    assert "Late:" not in page(member_client)


def test_progress_of_a_running_job_is_shown_and_asked_for_again(member_client: Client) -> None:
    run, _ = recording.start("sweep", {}, "cron", timezone.now())
    recording.progress(run, 3, 9, "asking")
    text = page(member_client)
    assert "3 of 9" in " ".join(text.split())
    assert 'hx-trigger="every 2s"' in text


def test_the_list_stops_asking_when_nothing_runs(member_client: Client) -> None:
    add_runs(1)
    assert "hx-trigger" not in page(member_client)
    assert "hx-trigger" in page(member_client, "/jobs/?started=sweep")  # its process is still loading


def test_htmx_gets_the_list_alone(member_client: Client) -> None:
    answer = member_client.get("/jobs/", headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="jobs"')
    assert "HX-Request" in answer["Vary"]


def test_runs_started_by_hand_are_listed(member_client: Client) -> None:
    add_runs(1, "import_sites")
    assert "import_sites" in page(member_client)


def test_messages_are_escaped(member_client: Client) -> None:
    run, held = recording.start("sweep", {}, "cron", timezone.now())
    recording.finish(run, held, JobRun.State.FAILED, "<script>alert(1)</script>", timezone.now())
    text = page(member_client)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_times_are_in_the_zone_of_the_settings(member_client: Client, settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    add_runs(1)
    assert "+09:00" in page(member_client)


def test_queries_do_not_grow_with_the_history(member_client: Client, django_assert_num_queries) -> None:
    for count in (1, 40):
        add_runs(count, "sweep")
        add_runs(count, "nightly")
        # session, user; leases and dead runs; table; runs of two jobs; others
        with django_assert_num_queries(8):
            queries_of(member_client)


def queries_of(client: Client) -> None:
    """The list as htmx gets it: without the frame, whose banners are other apps' affair too."""
    client.get("/jobs/", headers={"HX-Request": "true"})


def test_a_table_that_is_wider_than_a_phone_is_scrolled_by_keyboard_too(member_client: Client) -> None:
    add_runs(1)
    assert 'tabindex="0" role="region" aria-label="Last runs: Look after everything"' in page(member_client)


def test_twenty_runs_are_shown(member_client: Client) -> None:
    add_runs(25)
    assert page(member_client).count("asked ") == 20


def test_old_runs_are_read_along_the_index() -> None:
    plan = JobRun.objects.filter(name="sweep").order_by("-started", "-pk")[:20].explain()
    assert "run_by_name_and_start" in plan or "Seq Scan" in plan  # PostgreSQL scans an empty table


@pytest.fixture
def marker(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the job of the table writes: who started it."""
    path = tmp_path / "marker"
    os.mkfifo(path)
    code = f"import os; open({str(path)!r}, 'w').write(os.environ['DJAMON_TRIGGER'])"
    job = PeriodicJob("mark", "Leave a mark", ("0 0 1 1 *",), ("shell", "-v0", "-c", code))
    monkeypatch.setattr(tables, "MARKER", (job,))
    settings.PERIODIC_JOBS = "tests.jobs.tables.MARKER"
    return path


def test_run_now_starts_the_job_as_a_process_of_its_own(staff_client: Client, marker: Path) -> None:
    answer = staff_client.post("/jobs/mark/run/", follow=True)
    assert answer.redirect_chain == [("/jobs/?started=mark", 302)]
    assert "“Leave a mark” is being started." in answer.content.decode()
    assert marker.read_text() == "page"  # a pipe: reading waits for the writer


def test_run_now_says_where_an_equal_run_is_under_way(staff_client: Client) -> None:
    recording.start("sweep", {}, "cron", timezone.now())
    text = staff_client.post("/jobs/sweep/run/", follow=True).content.decode()
    assert "sweep is already running: run " in text


@pytest.mark.parametrize(
    ("who", "status"),
    [("member_client", 403), ("stranger_client", 302)],
    ids=["member", "stranger"],
)
def test_others_cannot_run_jobs(who: str, status: int, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(who).post("/jobs/sweep/run/").status_code == status


def test_run_now_is_a_post_with_a_csrf_token_and_a_known_name(staff, staff_client: Client) -> None:
    assert staff_client.get("/jobs/sweep/run/").status_code == 405
    assert staff_client.post("/jobs/format_disk/run/").status_code == 404
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(staff)
    assert careful.post("/jobs/sweep/run/").status_code == 403


@pytest.mark.parametrize("model", ["jobrun", "checkpoint", "lease"])
def test_the_admin_shows_and_changes_nothing(model: str, staff, staff_client: Client) -> None:
    staff.is_superuser = True
    staff.save()
    add_runs(1)
    assert staff_client.get(f"/admin/jobs/{model}/").status_code in (200, 403)
    assert staff_client.get(f"/admin/jobs/{model}/add/").status_code == 403


def test_a_run_shows_what_it_was_told_to_work_on(member_client: Client) -> None:
    told = {"site": ["<bbc>", "itv"], "group": []}
    run, held = recording.start("sweep", told, "command", timezone.now())
    recording.finish(run, held, JobRun.State.DONE, "asked 2 sites", timezone.now())
    assert "site &lt;bbc&gt;, itv:</span> asked 2 sites" in page(member_client)
