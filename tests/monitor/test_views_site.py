"""The page of one site: uptime and calendar, its certificate, and what it says of its state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from jobs import recording
from jobs.models import JobRun
from tests.monitor.factories import make_outage, make_site, make_up, make_view, make_views
from tests.monitor.reading import count_of_shell, text

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 3, 12, 20, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _frozen(time_machine) -> None:
    time_machine.move_to(NOW, tick=False)


def test_uptime_stands_in_figures_and_in_a_calendar(member_client) -> None:
    site = make_up()
    make_views(site, 10)
    make_outage(site, resolved_at=NOW - DAY)
    page = text(member_client, site.get_absolute_url())
    assert page.count("<dd>100 % of 100 % observed</dd>") == 3
    assert "2026-11-03, so far: 100 % of 100 % observed<" in page
    assert 'class="day day-whole" href="?from=2026-11-03&amp;to=2026-11-03#times"' in page
    assert "2026-11-02: not asked, 1 outage<" in page
    assert page.count('class="day-words"') == 90


def test_a_day_of_the_calendar_leads_to_its_results(member_client) -> None:
    site = make_up()
    make_views(site, 10)
    page = text(member_client, f"{site.get_absolute_url()}?from=2026-11-03&to=2026-11-03")
    assert "Response time, 2026-11-03 00:00 to 2026-11-03 12:20" in page
    assert "10 requests" in page or "No request failed." in page


@pytest.mark.parametrize(
    ("enabled", "said"),
    [(True, "figures come with the first run"), (False, "it is paused")],
    ids=["new", "paused"],
)
def test_without_a_result_it_says_what_to_do(member_client, enabled, said) -> None:
    page = text(member_client, make_site(enabled=enabled).get_absolute_url())
    assert said in page
    assert '<table class="calendar"' not in page


@pytest.mark.parametrize("rows", [25, 300])
def test_it_asks_as_often_whatever_its_history(member_client, django_assert_num_queries, rows) -> None:
    site = make_up()
    make_views(site, rows)
    for day in range(rows // 10):
        make_outage(site, resolved_at=NOW - DAY * day)
    # The state of the job (2), the site, its figures, its uptime (2), its calendar (3), its times (count,
    # points, falls), a page of results, its falls; its mark.
    with django_assert_num_queries(count_of_shell(member_client) + 14 + 1):
        text(member_client, site.get_absolute_url())


def test_a_state_in_doubt_is_told_as_past(member_client) -> None:
    run, held = recording.start("probe", {}, "cron", NOW)
    recording.finish(run, held, JobRun.State.FAULT, "our own connection is in doubt", NOW)
    page = text(member_client, make_up().get_absolute_url())
    assert "When last asked the site was up, since" in page
    assert "It is up" not in page


# --- The certificate -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("left", "style", "said"),
    [
        (42 * DAY, "body", "Certificate ends 2026-12-15 12:20 UTC, in 42 days."),
        (14 * DAY, "body", "in 14 days."),
        (13.9 * DAY, "failing", "▲ Certificate ends 2026-11-17 09:56 UTC, in 13 days."),
        (2.9 * DAY, "down", "■ Certificate ends 2026-11-06 09:56 UTC, in 2 days."),
        (DAY / 2, "down", "in less than a day."),
        (-DAY, "down", "■ Certificate ended 2026-11-02 12:20 UTC."),
    ],
    ids=["far", "two weeks", "soon", "very soon", "today", "past"],
)
def test_end_of_the_certificate(member_client, left, style, said) -> None:
    site = make_up(url="https://a.example/", certificate_ends=NOW + left, certificate_read=NOW)
    page = text(member_client, site.get_absolute_url())
    assert said in page
    assert f'<p class="text-{style}">' in page


@pytest.mark.parametrize(
    "fields", [{"url": "http://a.example/", "certificate_ends": NOW}, {"url": "https://a.example/"}]
)
def test_no_certificate_no_word_of_it(member_client, fields) -> None:
    assert "Certificate" not in text(member_client, make_up(**fields).get_absolute_url())


def results(client: Client, query: str) -> str:
    """The part of the page that lists single results."""
    return text(client, f"/site/shop/{query}").partition('id="results"')[2].partition("</section>")[0]


def test_the_results_are_those_of_the_range_that_is_shown(member_client) -> None:
    site = make_up(slug="shop")
    make_view(site, NOW - 7 * DAY, reason="last week")
    make_view(site, NOW, reason="just now")
    shown = results(member_client, "?from=2026-10-27&to=2026-10-27")
    assert ("last week" in shown, "just now" in shown) == (True, False)
    assert "just now" in results(member_client, "")
    assert 'href="?#results"' in results(member_client, "?from=2026-10-20&to=2026-10-20")


@pytest.mark.parametrize("query", ["?range=1x", "?from=rubbish", "?from=2026-01-02&to=2026-01-01"])
def test_with_a_range_that_cannot_be_shown_the_last_results_stand(member_client, query) -> None:
    make_view(make_up(slug="shop"), NOW - 7 * DAY, reason="last week")
    assert "last week" in results(member_client, query)
