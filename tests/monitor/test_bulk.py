"""Many sites at once: pasted lines, previews, and changes to many rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Alert
from monitor import bulk, csvfiles, editing
from monitor.bulk import Action
from monitor.models import Group, Outage, OutageSites, Site, SiteView
from tests.monitor.factories import (
    make_down,
    make_group,
    make_outage,
    make_site,
    make_up,
    make_views,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


# --- Lines ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("https://a.example/", "a.example", "https://a.example/"),
        ("https://A.example:8443/x/y/?q=1", "a.example:8443/x/y", "https://A.example:8443/x/y/?q=1"),
        ("Front page https://a.example/", "Front page", "https://a.example/"),
        ("Front page, https://a.example/", "Front page", "https://a.example/"),
        ("Front page,https://a.example/", "Front page", "https://a.example/"),
        ("Front page\thttps://a.example/", "Front page", "https://a.example/"),
        ("Shop, Inc. ,\t http://a.example/", "Shop, Inc.", "http://a.example/"),
        (", https://a.example/", "a.example", "https://a.example/"),
        ("a https://a.example/x,y;z", "a", "https://a.example/x,y;z"),
        ("https://web.example/save/https://a.example/", "web.example/save/https://a.example", None),
        ("Shop,\u3000https://a.example/", "Shop", "https://a.example/"),
        ("Shop HTTPS://a.example/", "Shop", "HTTPS://a.example/"),
        ("日本 https://xn--wgv71a.example/", "日本", "https://xn--wgv71a.example/"),
        ("Shop ftp://a.example/", "Shop", "ftp://a.example/"),
        ("shop.example", "shop.example", "shop.example"),
        ("Front page", "Front", "page"),
        ("Shop,", "Shop", "Shop"),
        ("http://[::1", "http://[::1", "http://[::1"),
        (",", "", ""),
    ],
)
def test_a_line_is_a_name_and_a_url(line: str, name: str, url: str | None) -> None:
    assert bulk.split_line(line) == (name, line if url is None else url)


def test_empty_lines_and_comments_are_no_sites_and_keep_their_numbers() -> None:
    text = "# ours\r\n\r\n a http://a/ \r  # theirs\nb http://b/\n\n"
    assert bulk.site_lines(text) == [(3, "a http://a/"), (5, "b http://b/")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("shop.example", "url “shop.example”: The URL starts with neither http:// nor https://."),
        ("a https://a.example/ b", "url “https://a.example/ b”: A URL has no spaces or control characters."),
        ("https://", "url “https://”: The URL names no host."),
        ("https://me:secret@a.example/", "would show it to everybody"),
        ("\x1b[31m https://a.example/", "A name has no line breaks or control characters."),
        (f"{'n' * 256} https://a.example/", "at most 255 characters (it has 256)"),
        (f"https://a.example/{'u' * 2000}", "2000 are the most"),
        ("http://[::1", "Not a URL"),
        (",", "This field cannot be blank."),
    ],
    ids=["no-scheme", "blank", "no-host", "password", "escape", "long-name", "long-url", "bracket", "comma"],
)
def test_a_bad_line_is_refused_as_a_csv_row_is(line: str, reason: str) -> None:
    parsed = bulk.parse_lines(f"\n{line}", "Web")
    assert [refusal.line for refusal in parsed.refusals] == [2]
    assert reason in parsed.refusals[0].reason


def test_a_name_that_stands_there_twice_is_refused_with_the_first_line() -> None:
    parsed = bulk.parse_lines("https://a.example/?1\n# x\nhttps://a.example/?2", "Web")
    assert [str(refusal) for refusal in parsed.refusals] == [
        "line 3: name “a.example”: stands in this group on line 1 already"
    ]


def test_a_very_long_line_takes_no_time_to_speak_of() -> None:
    assert len(bulk.parse_lines("a," * 100_000 + "\n" + "b" * 200_000, "Web").refusals) == 2


def test_what_is_done_leaves_the_text() -> None:
    assert bulk.without_lines("a\r\n# b\nc\n", {1, 3}) == "# b\n"


# --- Previews ------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_preview_says_what_becomes_of_each_line_and_writes_nothing() -> None:
    make_site(group=make_group(name="Web"), name="Shop", url="http://shop.example/")
    text = "New http://new.example/\nShop http://shop.example/\nShop2\nShop http://other.example/"
    seen = bulk.preview(bulk.parse_lines(text, "Web"))
    assert [(row.line, row.action) for row in seen.rows] == [
        (1, Action.ADD),
        (2, Action.THERE),
        (3, Action.REFUSE),
        (4, Action.REFUSE),
    ]
    assert (seen.added, seen.there, seen.refused, seen.new_groups) == (1, 1, 2, [])
    assert [row.line for row in seen.worst_first()] == [3, 4, 1, 2]
    assert Site.objects.count() == 1


@pytest.mark.django_db
def test_what_was_seen_is_written() -> None:
    parsed = bulk.parse_lines("http://a.example/\nhttp:/b", "Web")
    done = bulk.carry_out(parsed, bulk.preview(parsed).fingerprint, skip_bad=True)
    assert str(done.plan) == "1 site added, 1 group added, 0 unchanged, 1 refused"
    assert Site.objects.get().group.name == "Web"


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["text", "rows", "made-up"])
def test_what_has_changed_since_is_not_written(change: str) -> None:
    parsed = bulk.parse_lines("http://a.example/", "Web")
    seen = bulk.preview(parsed).fingerprint
    if change == "text":
        parsed = bulk.parse_lines("http://b.example/", "Web")
    elif change == "rows":
        make_site(group=make_group(name="Web"), name="a.example", url="http://other.example/")
    before = Site.objects.count()
    done = bulk.carry_out(parsed, "" if change == "made-up" else seen, skip_bad=True)
    assert done.plan is None
    assert Site.objects.count() == before


@pytest.mark.django_db
def test_all_or_nothing_writes_nothing_where_a_row_is_refused() -> None:
    parsed = csvfiles.parse("group,name,url\nWeb,a,http://a.example/\nWeb,b,http:/b\n")
    done = bulk.carry_out(parsed, bulk.preview(parsed).fingerprint, skip_bad=False)
    assert done.plan is None
    assert not Group.objects.exists()


# --- Many rows -----------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pausing_many_takes_them_out_of_the_outage_at_once() -> None:
    downs = [make_down(NOW) for _ in range(3)]
    outage = make_outage(*downs, opened_at=NOW)
    paused = make_site(enabled=False)
    assert editing.pause_sites([site.pk for site in [*downs, paused]], NOW) == 3
    outage.refresh_from_db()
    assert outage.resolved_at == NOW
    assert {fall.ending for fall in outage.falls.all()} == {"paused"}
    assert set(Site.objects.values_list("enabled", "state", "failures")) == {(False, "unknown", 0)}
    assert [alert.reference for alert in Alert.objects.all()] == [f"outage:{outage.pk}"]


@pytest.mark.django_db
def test_resuming_many_starts_only_the_paused_afresh() -> None:
    up, paused = make_up(), make_site(enabled=False)
    assert editing.resume_sites([up.pk, paused.pk, paused.pk + 1], NOW) == 1
    assert set(Site.objects.values_list("pk", "enabled", "state")) == {
        (up.pk, True, "up"),
        (paused.pk, True, "unknown"),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("change", [editing.pause_sites, editing.resume_sites, editing.delete_sites])
def test_sites_that_are_gone_are_passed_over(change) -> None:
    assert not change([1, 2, 3], NOW)
    assert not change([], NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("change", [editing.pause_sites, editing.resume_sites, editing.delete_sites])
def test_queries_do_not_grow_with_the_sites(change) -> None:
    def cost(number: int) -> int:
        sites = [make_down(NOW, enabled=change is not editing.resume_sites) for _ in range(number)]
        make_outage(*sites)
        with CaptureQueriesContext(connection) as queries:
            change([site.pk for site in sites], NOW)
        OutageSites.objects.all().delete()
        Outage.objects.all().delete()
        return len(queries)

    assert cost(2) == cost(20)


@pytest.mark.django_db
def test_deleting_many_takes_their_results_and_leaves_the_history() -> None:
    down, up, other = make_down(NOW), make_up(), make_up()
    outage = make_outage(down, opened_at=NOW)
    for site in (down, up, other):
        make_views(site, 5)
    assert editing.delete_sites([down.pk, up.pk], NOW) == []
    assert Site.objects.get() == other
    assert SiteView.objects.count() == 5
    assert [(fall.site_name, fall.site, fall.ending) for fall in outage.falls.all()] == [
        (down.name, None, "deleted")
    ]
    assert Outage.objects.get().resolved_at == NOW


@pytest.mark.django_db
def test_a_deletion_that_is_stopped_leaves_paused_sites_and_can_go_on() -> None:
    sites = [make_down(NOW), make_up()]
    outage = make_outage(sites[0])
    make_views(sites[0], 3)
    ids = [site.pk for site in sites]
    assert editing.delete_sites(ids, NOW, enough=lambda: True) == ids
    assert set(Site.objects.values_list("enabled", flat=True)) == {False}
    assert [fall.ending for fall in outage.falls.all()] == ["deleted"]
    assert editing.delete_sites(ids, NOW) == []
    assert not Site.objects.exists()


@pytest.mark.django_db
def test_results_go_in_steps() -> None:
    """Between two steps others can write: ``enough`` is asked there, outside of any step."""
    site = make_up()
    make_views(site, 4500)
    left: list[int] = []

    def enough() -> bool:
        left.append(SiteView.objects.count())
        return False

    editing.delete_sites([site.pk], NOW, enough)
    assert left == [4500, 2500, 500]


@pytest.mark.django_db
@pytest.mark.parametrize("whole_group", [True, False], ids=["group", "site"])
def test_a_single_deletion_goes_in_steps_too(whole_group: bool) -> None:
    site = make_up()
    make_views(site, 4500)
    with CaptureQueriesContext(connection) as queries:
        if whole_group:
            editing.delete_group(site.group_id, NOW)
        else:
            editing.delete_site(site.pk, NOW)
    steps = [query["sql"] for query in queries if query["sql"].startswith('DELETE FROM "monitor_siteview"')]
    assert len(steps) > 4500 // editing.RESULTS_TOGETHER
    assert not Site.objects.exists()
    assert Group.objects.exists() is not whole_group
