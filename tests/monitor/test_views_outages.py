"""The pages of outages: the list and one of them, as staff, members and strangers see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from alerts.models import Alert, Attempt, Delivery
from monitor import notes
from monitor.models import Outage
from tests.monitor.factories import make_down, make_group, make_outage, make_up
from tests.monitor.reading import count_of_shell, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def outage():
    """An open outage of one public and one internal site, with an alert that was sent at the second try."""
    sites = make_down(name="shop"), make_down(name="wiki", group=make_group(internal=True))
    outage = make_outage(*sites)
    now = timezone.now()
    alert = Alert.objects.create(
        reference=f"outage:{outage.pk}", subject="Down: shop", text="", html="", created=now, expires=now
    )
    delivery = Delivery.objects.create(
        alert=alert, channel="email", address="ops@example.org", state="sent", next_try=now
    )
    Attempt.objects.create(delivery=delivery, at=now, ok=False, result="mail server is silent")
    Attempt.objects.create(delivery=delivery, at=now, ok=True, result="accepted", elapsed_ms=12.0)
    return outage


# --- The list ------------------------------------------------------------------------------------
def test_no_outages_are_said_in_words(member_client) -> None:
    page = text(member_client, "/outages/")
    assert "There has been no outage yet." in page
    assert "<select" not in page
    page = text(member_client, "/outage/")
    assert "There is no outage right now." in page
    assert 'href="/outages/"' in page


def test_outages_stand_newest_first_each_with_its_duration(member_client) -> None:
    now = timezone.now()
    old = make_outage(make_down(name="first"), opened_at=now - timedelta(hours=3), resolved_at=now)
    new = make_outage(make_down(name="second"), opened_at=now - timedelta(minutes=1))
    page = text(member_client, "/outages/")
    assert page.index(new.get_absolute_url()) < page.index(old.get_absolute_url())
    assert "3 hours" in page
    assert "so far" in page
    assert "connection refused" in page
    assert "other reason" not in page
    new.falls.create(outage=new, site_name="third", fell_at=now, reason="HTTP 503", back_at=now)
    assert "connection refused</bdi> and 1 other reason</div>" in text(member_client, "/outages/")


@pytest.mark.parametrize("outages", [1, 30])
def test_outages_ask_as_often_however_many(member_client, django_assert_num_queries, outages) -> None:
    for day in range(outages):
        make_outage(make_up(), make_up(), resolved_at=timezone.now() - timedelta(days=day))
    # Groups and sites to choose from, the number of outages, one page, their cards, their first falls; its
    # mark: the state of the jobs (2), the newest outage, its falls.
    with django_assert_num_queries(count_of_shell(member_client) + 6 + 4):
        page = text(member_client, "/outages/")
    assert page.count('<th scope="row"') == min(outages, 25)


@pytest.fixture
def three(db: None) -> dict[str, str]:
    """The addresses of three outages by the names of the sites that fell: two over, one open."""
    noon = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    shop, blog = make_up(name="Shop", slug="shop"), make_up(name="Blog", slug="blog")
    made = {
        "shop": make_outage(shop, opened_at=noon, resolved_at=noon + timedelta(hours=1)),
        "blog": make_outage(blog, opened_at=noon + timedelta(days=2), resolved_at=noon + timedelta(days=3)),
        "wiki": make_outage(make_down(name="Wiki"), opened_at=noon + timedelta(days=9)),
    }
    return {name: outage.get_absolute_url() for name, outage in made.items()}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["shop", "blog", "wiki"]),
        ("state=open", ["wiki"]),
        ("state=over", ["shop", "blog"]),
        ("site=shop", ["shop"]),
        ("name=LO", ["blog"]),
        ("since=2026-11-03", ["blog", "wiki"]),
        ("until=2026-11-02", ["shop"]),
        ("since=2026-11-05&until=2026-11-05", ["blog"]),
        ("since=&until=&state=&group=&site=&name=", ["shop", "blog", "wiki"]),
        ("since=2026-11-03&state=over&name=o", ["blog"]),
    ],
)
def test_filters_narrow_the_list(three, member_client, query, names) -> None:
    page = text(member_client, f"/outages/?{query}")
    assert [name for name, url in three.items() if f'"{url}"' in page] == names


def test_what_was_chosen_stays_chosen(three, member_client) -> None:
    page = text(member_client, "/outages/?state=over&site=shop&name=%22%3Eop&since=2026-11-01")
    for words in ('value="over" selected', 'value="shop" selected', 'value="&quot;&gt;op"'):
        assert words in page
    assert 'value="2026-11-01"' in page


BAD = [
    ("state=half", "Choose open or over."),
    ("group=none", "There is no such group (any more)."),
    ("site=none%00", "There is no such site (any more)."),
    ("site=%27%3B--", "There is no such site (any more)."),
    ("name=%00", "Null characters are not allowed."),
    (f"name={'x' * 256}", "at most 255 characters"),
    ("since=yesterday", "This is no day"),
    ("since=0001-01-01", "Choose a day from 1970 to 2999."),
    ("until=9999-12-31", "Choose a day from 1970 to 2999."),
    ("until=2026-02-30", "This is no day"),
    ("since=2026-11-03&until=2026-11-02", "This day lies before the first one."),
]


@pytest.mark.parametrize(("query", "complaint"), BAD, ids=[complaint for _, complaint in BAD])
def test_a_bad_filter_says_so_and_does_not_count(three, member_client, query, complaint) -> None:
    page = text(member_client, f"/outages/?{query}")
    assert complaint in page
    assert "is-invalid" in page
    assert f'"{three["wiki"]}"' in page
    assert "what is marked above does not count" in page


@pytest.mark.parametrize("query", ["since=2999-12-31&until=2999-12-31&state=over", "name=nobody", "page=0"])
def test_ranges_without_outages_are_no_mistake(three, member_client, query) -> None:
    assert "is-invalid" not in text(member_client, f"/outages/?{query}")


def test_where_none_matches_a_link_clears_the_filters(three, member_client) -> None:
    page = text(member_client, "/outages/?name=nobody")
    assert "No outage matches." in page
    assert '<a href="/outages/">Show all outages</a>' in page


def test_pages_keep_the_filters(member_client) -> None:
    for day in range(30):
        make_outage(make_up(name=f"shop {day}"), resolved_at=timezone.now() - timedelta(days=day))
    make_outage(make_up(name="blog"), resolved_at=timezone.now())
    page = text(member_client, "/outages/?name=shop&state=over")
    assert 'href="?name=shop&amp;state=over&amp;page=2"' in page
    page = text(member_client, "/outages/?name=shop&state=over&page=2")
    assert page.count('<th scope="row"') == 5


def test_strangers_find_nothing_hidden_by_filters(stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    group = make_group(name="Secret", slug="secret", internal=True)
    make_outage(make_down(name="wiki", slug="wiki", group=group))
    assert "There has been no outage yet." in text(stranger_client, "/outages/")
    for query in ("group=secret", "site=wiki", "name=wik"):
        page = text(stranger_client, f"/outages/?{query}&since=2026-01-01")
        assert "Secret" not in page
        assert ">wiki<" not in page
    assert "No outage matches." in text(stranger_client, "/outages/?name=wik")
    assert "There is no such group" in text(stranger_client, "/outages/?group=secret")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_day_is_a_day_of_the_pages_zone(member_client, settings, zone) -> None:
    settings.TIME_ZONE = zone
    midnight = datetime(2026, 11, 2, tzinfo=ZoneInfo(zone))
    outage = make_outage(make_up(), opened_at=midnight, resolved_at=midnight + timedelta(hours=23))
    for day, matches in (("2026-11-01", False), ("2026-11-02", True), ("2026-11-03", False)):
        page = text(member_client, f"/outages/?since={day}&until={day}")
        assert (outage.get_absolute_url() in page) is matches


# --- One -----------------------------------------------------------------------------------------
def test_an_outage_tells_who_fell_and_every_attempt_to_tell(outage, member_client) -> None:
    page = text(member_client, "/outage/")
    for words in ("shop", "wiki", "still down", "Down: shop", "ops@example.org", "mail server is silent"):
        assert words in page
    assert "accepted</span> (12 ms)" in page


def test_the_line_has_everything_in_the_order_of_time(outage, staff, member_client) -> None:
    start = outage.opened_at
    outage.falls.update(strikes=3)
    outage.falls.filter(site_name="shop").update(back_at=start + timedelta(hours=1), ending="back")
    outage.falls.filter(site_name="wiki").update(back_at=start + timedelta(hours=2), ending="paused")
    Outage.objects.update(resolved_at=start + timedelta(hours=2))
    notes.add(outage, staff, "It was the cable.", start + timedelta(minutes=30))
    page = text(member_client, outage.get_absolute_url())
    line = page[page.index('<ol class="line">') : page.index("</ol>")]
    words = [
        "with the first of 3 strikes: <bdi>connection refused</bdi>",
        "+5 minutes",
        "Alert written",
        "mail server is silent",
        "accepted",
        "+30 minutes",
        "It was the cable.",
        "+1 hour",
        "came back",
        "+2 hours",
        "was <strong>paused</strong> while down, after 2 hours",
        "The outage was over.",
    ]
    places = [line.index(word) for word in words]
    assert places == sorted(places)


def test_the_summary_says_how_long_how_many_and_who_was_told(outage, member_client) -> None:
    page = text(member_client, outage.get_absolute_url())
    assert "Open since" in page
    assert "2 sites; 2 still down." in page
    Delivery.objects.update(sent_at=outage.opened_at + timedelta(seconds=42))
    Outage.objects.update(resolved_at=timezone.now())
    page = text(member_client, outage.get_absolute_url())
    assert "Lasted 5 minutes" in page
    assert "<strong>+42 seconds</strong>" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [("pending", "<strong class="), ("expired", "given up"), ("dropped", "given up")],
    ids=["waits", "lost", "dropped"],
)
def test_who_was_not_reached_is_said(outage, member_client, state, words) -> None:
    Delivery.objects.update(state=state, last_result="put off: mail server is silent")
    page = text(member_client, outage.get_absolute_url())
    assert words in page
    assert "put off: mail server is silent" in page
    assert ("not yet</strong>, next try" in page) is (state == "pending")


def test_an_outage_that_nobody_heard_of_says_so(member_client) -> None:
    outage = make_outage(make_down())
    assert "No alert was written." in text(member_client, outage.get_absolute_url())
    now = timezone.now()
    Alert.objects.create(
        reference=f"outage:{outage.pk}", subject="Down", text="", html="", created=now, expires=now
    )
    page = text(member_client, outage.get_absolute_url())
    assert page.count("Nobody was configured to be told.") == 2
    assert "No alert was written." not in page


def test_alerts_of_other_outages_stay_out(outage, member_client) -> None:
    other = make_outage(make_up(), resolved_at=timezone.now() - timedelta(days=1))
    page = text(member_client, other.get_absolute_url())
    assert "ops@example.org" not in page
    assert "No alert was written." in page


def test_strangers_see_neither_addresses_nor_what_is_internal(outage, stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    outage.falls.filter(site_name="shop").update(back_at=timezone.now(), ending="back")
    page = text(stranger_client, outage.get_absolute_url())
    for words in ("shop", "Lasted 5 minutes", "1 site.", "The outage was over."):
        assert words in page
    for words in ("ops@example.org", "wiki", "Who was told", "Alert written", "mail server is silent"):
        assert words not in page
    assert "still down" not in page
    for path in ("/outages/", "/outages/?state=over"):
        page = text(stranger_client, path)
        assert "shop" in page
        assert "so far" not in page
        assert "more" not in page[page.index("<tbody>") : page.index("</tbody>")]
    assert "There is no outage right now." in text(stranger_client, "/outage/")


def test_to_strangers_an_internal_outage_does_not_exist(stranger_client, member_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    outage = make_outage(make_down(group=make_group(internal=True)))
    path = outage.get_absolute_url()
    assert stranger_client.get(path).status_code == 404
    assert path not in text(stranger_client, "/outages/")
    assert "There is no outage right now." in text(stranger_client, "/outage/")
    assert member_client.get(path).status_code == 200


@pytest.mark.parametrize("outages", [1, 30])
def test_strangers_ask_as_often_as_members(
    stranger_client, settings, django_assert_num_queries, outages
) -> None:
    settings.PUBLIC_STATUS = True
    for day in range(outages):
        make_outage(make_up(), make_up(), resolved_at=timezone.now() - timedelta(days=day))
    # The banners' three, and what members ask too.
    with django_assert_num_queries(4 + 6 + 4):
        page = text(stranger_client, "/outages/")
    assert page.count('<th scope="row"') == min(outages, 25)


@pytest.mark.parametrize("falls", [1, 120])
@pytest.mark.parametrize("line", [1, 3])
def test_an_outage_asks_as_often_however_much_happened(
    staff, staff_client, django_assert_max_num_queries, falls, line
) -> None:
    group, now = make_group(), timezone.now()
    outage = make_outage(*(make_up(group=group) for _ in range(falls)), resolved_at=now)
    for number in range(falls):
        tell(outage, now, f"ops-{number}@example.org")
        notes.add(outage, staff, f"note {number}", now + timedelta(seconds=number))
    # The outage, its figures, who was told, falls (their number, a page), the line (its number, a page), and
    # what stands on it: falls, alerts, deliveries, attempts, notes; its mark (12).
    with django_assert_max_num_queries(count_of_shell(staff_client) + 12 + 12):
        text(staff_client, f"{outage.get_absolute_url()}?line={line}")


def test_a_long_line_is_paged_and_its_falls_are_folded(member_client) -> None:
    group = make_group()
    outage = make_outage(*(make_up(group=group) for _ in range(120)), resolved_at=timezone.now())
    page = text(member_client, outage.get_absolute_url())
    assert "100 falls:" in " ".join(page.split())
    assert "and 97 more</summary>" in page
    assert 'href="?line=2#line"' in page
    assert 'href="?page=2#falls"' in page
    page = text(member_client, f"{outage.get_absolute_url()}?line=3&page=2")
    assert 'href="?line=2&amp;page=2#line"' in page
    assert "The outage was over." in page
    assert "120 sites" in page


@pytest.mark.parametrize("query", ["line=x", "line=0", "line=-1", "line=99", "line=%00", "page=9" + "9" * 30])
def test_odd_pages_of_the_line_are_no_fault(outage, member_client, query) -> None:
    assert "shop" in text(member_client, f"{outage.get_absolute_url()}?{query}")


def test_a_long_name_leaves_room_for_the_others(member_client) -> None:
    make_outage(make_down(name="W" * 255), make_down(name="shop"))
    page = text(member_client, "/outages/")
    assert "W" * 79 + "…</bdi>, <bdi>shop</bdi>" in page


def test_hostile_words_are_text(staff_client) -> None:
    hostile = "<b>x</b>\u202e"
    outage = make_outage(make_down(name=hostile))
    outage.falls.update(reason=hostile)
    tell(outage, timezone.now(), hostile, subject=hostile, result=hostile)
    page = text(staff_client, outage.get_absolute_url())
    assert page.count("&lt;b&gt;x&lt;/b&gt;") >= 5
    assert "<b>x" not in page


def tell(outage: Outage, at: datetime, address: str, subject: str = "Down", result: str = "accepted") -> None:
    """An alert about the outage that reached ``address`` at the first attempt."""
    alert = Alert.objects.create(
        reference=f"outage:{outage.pk}", subject=subject, text="", html="", created=at, expires=at
    )
    delivery = Delivery.objects.create(
        alert=alert, channel="email", address=address, state="sent", next_try=at, sent_at=at
    )
    Attempt.objects.create(delivery=delivery, at=at, ok=True, result=result, elapsed_ms=12.0)
