"""Home's pieces: what stands in them, for whom, in which order, and when they are drawn anew."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from alerts.models import Alert, Delivery
from jobs.models import JobRun, Lease
from monitor import board, board_rows
from monitor.appearance import UP
from monitor.board import Board
from monitor.board_rows import Placed
from monitor.models import Group, OutageSites, Site
from monitor.queries import NO_DETAILS, BoardSite
from monitor.uptime import Figures, Uptime
from tests.monitor.factories import make_down, make_group, make_outage, make_site, make_up, make_view

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202e\"'&"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _zone(settings) -> None:
    settings.TIME_ZONE = "UTC"


def drawn(now: datetime = NOW, audience: board.Audience = "user") -> Board:
    return board.draw(now, [audience])[audience]


def words(html: str) -> str:
    """What is read of it."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split()).replace(" .", ".").replace(" ,", ",")


def row(site: Site, now: datetime = NOW) -> str:
    return drawn(now).pieces[f"site-{site.pk}"]


def run_of_probe(now: datetime, state: str = "done") -> None:
    run = JobRun.objects.create(
        name="probe", state=state, started=now, finished=now, host="here", pid=1, fence=1, message="no disk"
    )
    Lease.objects.update_or_create(name="probe", defaults={"latest_run": run, "latest_finished": run})


# --- Rows ----------------------------------------------------------------------------------------
def test_a_row_says_how_a_site_is_was_and_how_quick() -> None:
    site = make_up(
        NOW, name="Shop", slug="shop", url="https://SHOP.example/", recent="u10 d5000 u20", last_ms=20
    )
    make_view(site, NOW - timedelta(minutes=1))
    html = row(site)
    assert f'<tr id="site-{site.pk}" data-state="up" data-search="shop https://shop.example/">' in html
    assert '<a class="clamped" href="/site/shop/"><bdi>Shop</bdi></a>' in html
    assert 'href="/site/shop/#results" data-recent="/site/shop/recent/"' in html
    assert 'aria-label="3 results: 2 up, 1 down"' in html
    assert words(html) == "up Shop 20 ms 100 % of 1 result 100 % of 1 result 100 % of 1 result"
    assert 'title="100 % of 100 % observed"' in html


RESTS = {
    "all of the time": (Uptime(up=1000, expected=1000), "", ""),
    "almost all of it": (Uptime(up=991, expected=1000), "", ""),
    "one result": (Uptime(up=1), "a day", "of 1 result"),
    "few results": (Uptime(up=97, down=2, expected=1000), "", "of 99 results"),
    "gaps": (Uptime(up=800, down=75, expected=1000), "", "87 % seen"),
    "gaps in a short history": (Uptime(up=875, expected=1000), "a day", "87 % seen"),
    "a short history": (Uptime(up=1000, expected=1000), "a day", "of a day"),
    "nothing seen": (Uptime(inconclusive=5), "a day", ""),
    "nothing due": (Uptime(), "a day", ""),
}


@pytest.mark.parametrize(("uptime", "known", "said"), RESTS.values(), ids=RESTS)
def test_a_figure_says_what_it_rests_on_where_that_is_little(uptime, known, said) -> None:
    assert board_rows.rests_on(uptime, known) == said


HISTORIES = {
    "a day": ([1440, 1440, 1440], "100 % 100 % of a day 100 % of a day"),
    "a week": ([1440, 10_080, 10_080], "100 % 100 % 100 % of 30 days"),
    "a year": ([1440, 43_200, 129_600], "100 % 100 % 100 %"),
}


@pytest.mark.parametrize(("counts", "said"), HISTORIES.values(), ids=HISTORIES)
def test_no_figure_speaks_of_more_time_than_the_site_is_known_for(counts, said) -> None:
    site = BoardSite(1, 1, "Shop", "shop", "http://x/", True, "up")
    figures = Figures(*(Uptime(up=count, expected=count) for count in counts))
    html = board_rows.row(Placed(site, UP), NO_DETAILS, figures, NOW)
    assert words(html) == f"up Shop {said}"


def test_only_good_answers_say_how_quick_a_site_is() -> None:
    assert board_rows.times("u10 d5000 i3 u20") == [10, None, None, 20]


def test_who_is_not_up_says_why_and_since_when() -> None:
    today, before = make_down(NOW), make_down(NOW, state_since=NOW - timedelta(days=2))
    assert "since 08:55: connection refused" in row(today)
    assert "since 2026-10-31 09:00: connection refused" in row(before)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (15 * 24, ""),
        (14 * 24, "certificate ends in 14 days"),
        (15, "certificate ends in 1 day"),
        (14, "certificate ends today"),
        (-10, "certificate ended on 2026-11-01"),
    ],
    ids=["later", "soon", "past midnight", "today", "ended"],
)
def test_the_end_of_a_certificate_is_told_by_its_date(hours, said) -> None:
    assert board_rows.certificate_in_words(NOW + timedelta(hours=hours), NOW) == said


def test_a_new_site_has_neither_bars_nor_figures() -> None:
    html = row(make_site(name="New"))
    assert words(html) == "not asked yet New – – –"
    assert "svg" not in html


def test_what_people_typed_is_text_in_every_piece() -> None:
    site = make_down(
        NOW, name=HOSTILE, url="http://x/?<b>", last_reason=HOSTILE, group=make_group(name=HOSTILE)
    )
    make_outage(site)
    shown = drawn(audience="staff")
    everything = "".join([*shown.pieces.values(), *shown.frames.values()])
    assert "<script" not in everything
    assert "<b>" not in everything
    names = [data for data in _texts(shown.pieces[f"site-{site.pk}"]) if "alert(1)" in data]
    assert names == [HOSTILE, f"since 08:55: {HOSTILE}"]


def _texts(html: str) -> list[str]:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign,assignment]
    parser.feed(html)
    return found


# --- Order ---------------------------------------------------------------------------------------
def test_the_worst_stand_first_and_then_the_names() -> None:
    group = make_group()
    sites = {
        "b": make_up(NOW, name="b", group=group),
        "A": make_up(NOW, name="A", group=group),
        "new": make_site(name="new", group=group),
        "down": make_down(NOW, name="down", group=group),
        "off": make_up(NOW, name="off", group=group, enabled=False),
        "failing": make_down(NOW, name="failing", group=group, state="failing"),
    }
    order = drawn().order[f"rows-{group.pk}"]
    assert order == tuple(f"site-{sites[name].pk}" for name in ("down", "failing", "new", "A", "b", "off"))


def test_groups_with_trouble_stand_first() -> None:
    calm, empty, failing, fallen = (make_group(name=name) for name in ("b", "A", "y", "z"))
    make_up(NOW, group=calm)
    make_down(NOW, group=failing, state="failing")
    make_down(NOW, group=fallen)
    expected = tuple(f"group-{group.pk}" for group in (fallen, failing, empty, calm))
    assert drawn().order["groups"] == expected


def test_the_head_of_a_group_counts_its_sites_by_state() -> None:
    group = make_group(name="Shop", internal=True)
    for make in (make_up, make_up, make_down):
        make(NOW, group=group)
    head = drawn().pieces[f"group-{group.pk}-head"]
    assert words(head) == "Shop internal 1 down, 2 up"
    assert 'data-search="shop"' in head


def test_an_empty_group_says_so() -> None:
    group = make_group()
    shown = drawn()
    assert shown.order[f"rows-{group.pk}"] == (f"empty-{group.pk}",)
    assert "No sites in this group yet." in shown.pieces[f"empty-{group.pk}"]


def test_every_id_in_the_order_has_its_html_and_its_place() -> None:
    make_down(NOW)
    make_group()
    shown = drawn(audience="staff")
    html = shown.pieces | shown.frames
    for container, ids in shown.order.items():
        assert container == "groups" or any(f'id="{container}"' in frame for frame in shown.frames.values())
        for key in ids:
            assert re.match(rf'<\w+ [^>]*id="{key}"', html[key])
    for key, piece in shown.pieces.items():
        assert f'id="{key}"' in piece.split(">")[0]


def test_where_not_all_sites_fit_each_group_shows_its_worst(settings) -> None:
    settings.HOME_ROWS = 50
    small, large = make_group(), make_group(slug="large")
    make_up(NOW, group=small)
    for number in range(60):
        make_up(NOW, group=large, name=f"{number:02}")
    fallen = make_down(NOW, group=large, name="zz")
    seen = board.see(NOW)
    shown = board.paint(seen, ["user"], board.worst(seen))["user"]
    order = shown.order[f"rows-{large.pk}"]
    assert (len(order), order[0], order[-1]) == (26, f"site-{fallen.pk}", f"more-{large.pk}")
    assert words(shown.pieces[f"more-{large.pk}"]) == "and 36 more"
    assert 'href="?group=large"' in shown.pieces[f"more-{large.pk}"]
    assert len(shown.order[f"rows-{small.pk}"]) == 1


# --- For whom ------------------------------------------------------------------------------------
def test_only_staff_get_links_to_change_things_and_strangers_no_internal_group() -> None:
    group, internal = make_group(), make_group(internal=True, name="Secret")
    site = make_down(NOW, group=internal, name="wiki")
    boards = board.draw(NOW, ["staff", "user", "stranger"])
    frames = {audience: "".join(shown.frames.values()) for audience, shown in boards.items()}
    assert ["/manage/" in frames[audience] for audience in boards] == [True, False, False]
    stranger = repr((boards["stranger"].pieces, boards["stranger"].frames, boards["stranger"].order))
    assert "wiki" not in stranger
    assert "Secret" not in stranger
    assert f"site-{site.pk}" not in stranger
    assert boards["stranger"].order["groups"] == (f"group-{group.pk}",)


def test_rows_are_the_same_objects_for_all_who_see_them() -> None:
    site = make_up(NOW)
    staff, user = board.draw(NOW, ["staff", "user"]).values()
    assert staff.pieces[f"site-{site.pk}"] is user.pieces[f"site-{site.pk}"]


def test_without_sites_the_top_says_what_to_do() -> None:
    said = {
        key: shown.pieces["headline"] for key, shown in board.draw(NOW, ["staff", "user", "stranger"]).items()
    }
    assert "/manage/group/add/" in said["staff"]
    assert "ask them" in said["user"]
    assert "ask them" not in said["stranger"]


@pytest.mark.parametrize("sites", [10, 1000])
def test_as_many_queries_for_ten_sites_as_for_a_thousand(django_assert_num_queries, sites) -> None:
    group = make_group()
    Site.objects.bulk_create(
        Site(group=group, name=f"{number}", slug=f"s-{number}", url="http://x.example/", recent="u1 u2")
        for number in range(sites)
    )
    board.draw(NOW, ["staff"])  # adds up the uptime
    with django_assert_num_queries(13):
        board.draw(NOW, ["staff", "user", "stranger"])
    with django_assert_num_queries(10):
        board.fingerprint(NOW)


# --- The top -------------------------------------------------------------------------------------
def headline(audience: board.Audience = "user", now: datetime = NOW) -> str:
    return words(drawn(now, audience).pieces["headline"])


def tell(falls: QuerySet[OutageSites], *deliveries: tuple[str, str, datetime | None]) -> None:
    """An alert about these falls, and to whom it went when."""
    alert = Alert.objects.create(reference="outage:1", subject="s", text="t", created=NOW, expires=NOW)
    falls.update(alert=alert)
    for channel, address, sent_at in deliveries:
        Delivery.objects.create(
            alert=alert,
            channel=channel,
            address=address,
            state=Delivery.State.SENT if sent_at else Delivery.State.PENDING,
            sent_at=sent_at,
            next_try=NOW,
        )


def test_who_was_told_stands_below_what_is_down() -> None:
    outage = make_outage(make_down(NOW, name="Shop"), opened_at=NOW - timedelta(minutes=5))
    at = NOW - timedelta(minutes=2)
    tell(
        outage.falls.all(),
        ("email", "a@x.example", at),
        ("email", "b@y.example", at),
        ("email", "c@z.example", None),
    )
    said = headline()
    assert said.startswith("1 of 1 site is down: Shop since 08:55. The current outage")
    assert "Told by e-mail at 08:58: a@x.example, b@y.example. Not told by e-mail yet: c@z.example." in said
    assert "example" not in headline("stranger")


FIRST, SECOND = NOW - timedelta(minutes=20), NOW - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("second", "back", "said"),
    [
        pytest.param(SECOND, "", "Told of each by e-mail, last at 08:55: a@x.example.", id="of-each"),
        pytest.param(FIRST, "", "Told by e-mail at 08:40: a@x.example.", id="in-one-message"),
        pytest.param(
            None,
            "",
            "Told of some by e-mail, last at 08:40: a@x.example. 1 later message has not arrived.",
            id="of-the-first-alone",
        ),
        pytest.param(SECOND, "Shop", "Told by e-mail at 08:55: a@x.example.", id="the-first-is-back"),
        pytest.param(
            None, "Shop", "Not told by e-mail yet: a@x.example.", id="the-first-is-back-the-other-untold"
        ),
        pytest.param(None, "Blog", "Told by e-mail at 08:40: a@x.example.", id="the-second-is-back"),
    ],
)
def test_what_was_told_of_the_first_is_not_said_of_those_that_fell_later(
    second: datetime | None, back: str, said: str
) -> None:
    outage = make_outage(make_down(NOW, name="Shop"), make_down(NOW, name="Blog"))
    tell(outage.falls.filter(site_name="Shop"), ("email", "a@x.example", FIRST))
    tell(outage.falls.filter(site_name="Blog"), ("email", "a@x.example", second))
    outage.falls.filter(site_name=back).update(back_at=NOW, ending="back")
    assert headline().endswith(f"The current outage {said}")


def test_who_was_not_to_be_told_of_all_that_is_down_was_told_of_some() -> None:
    outage = make_outage(make_down(NOW, name="Shop"), make_down(NOW, name="Intra"))
    tell(outage.falls.filter(site_name="Shop"), ("twitter", "", FIRST))
    tell(outage.falls.filter(site_name="Intra"))  # internal: nothing for the world
    assert headline().endswith("Told of some by Twitter/X, last at 08:40.")


@pytest.mark.parametrize(
    ("to", "said"),
    [(["a@x.example"], "Nobody has been told yet."), ([], "Nobody is configured to be told.")],
    ids=["waiting", "nobody"],
)
def test_it_says_where_nobody_was_told(settings, to, said) -> None:
    settings.TO_EMAIL = to
    make_outage(make_down(NOW))
    assert headline().endswith(said)
    assert said not in headline("stranger")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (timedelta(hours=2), "All 1 sites are up. The last outage ended at 07:00."),
        (timedelta(days=29), "The last outage ended on 2026-10-04 09:00."),
        (timedelta(days=31), "The one site is up."),
    ],
    ids=["today", "weeks ago", "long ago"],
)
def test_all_well_tells_of_the_last_outage(ended, said) -> None:
    site = make_up(NOW)
    make_outage(site, resolved_at=NOW - ended)
    assert headline().endswith(said.replace("All 1 sites are up.", "The one site is up."))


def test_strangers_read_of_public_outages_alone(settings) -> None:
    settings.PUBLIC_STATUS = True
    make_up(NOW, name="Shop")
    secret = make_site(group=make_group(internal=True))
    make_outage(secret, opened_at=NOW - timedelta(hours=2), resolved_at=NOW - timedelta(hours=1))
    assert "The last outage ended at 08:00" in headline("user")
    assert headline("stranger") == "The one site is up."
    public = make_outage(make_up(NOW, name="Blog"), opened_at=NOW - timedelta(days=3))
    public.falls.update(back_at=NOW - timedelta(days=2))
    type(public).objects.filter(pk=public.pk).update(resolved_at=NOW - timedelta(days=2))
    assert "The last outage ended on 2026-10-31" in headline("stranger")


def test_strangers_are_not_led_to_an_outage_of_internal_sites() -> None:
    make_up(NOW)
    make_outage(make_down(NOW, group=make_group(internal=True)))
    assert headline("user").startswith("1 of 2 sites is down")
    assert headline("stranger") == "The one site is up."


def test_late_runs_turn_everything_grey() -> None:
    site, fallen = make_up(NOW, name="Blog"), make_down(NOW, name="Shop")
    run_of_probe(NOW - timedelta(minutes=1))
    assert "state-up" in row(site)
    later = NOW + timedelta(minutes=12)
    shown = drawn(later)
    everything = "".join(shown.pieces.values())
    assert "state-up" not in everything
    assert "state-down" not in everything
    assert words(shown.pieces[f"site-{site.pk}"]).startswith("was up Blog")
    assert 'class="old" data-state="down"' in shown.pieces[f"site-{fallen.pk}"]
    assert "headline-unknown" in shown.pieces["headline"]
    assert "was down when last asked: Shop" in words(shown.pieces["headline"])


def test_a_fault_of_our_own_turns_everything_grey() -> None:
    site = make_up(NOW)
    run_of_probe(NOW, state="fault")
    assert "was up" in row(site)


def test_banners_are_a_piece_and_strangers_read_the_public_ones() -> None:
    run_of_probe(NOW, state="fault")
    boards = board.draw(NOW, ["user", "stranger"])
    assert "no disk" in boards["user"].pieces["banners"]
    assert "no disk" not in boards["stranger"].pieces["banners"]
    assert "What is shown may be old" in boards["stranger"].pieces["banners"]


# --- Tags and fingerprints -----------------------------------------------------------------------
def test_a_tag_names_the_content() -> None:
    make_up(NOW)
    first = drawn()
    assert first.tag == drawn().tag
    assert re.fullmatch(r"[0-9a-f]{24}", first.tag)
    changes = [
        Board(first.pieces | {"headline": "x"}, first.frames, first.order),
        Board(first.pieces, first.frames | {"x": "y"}, first.order),
        Board(first.pieces, first.frames, first.order | {"groups": ()}),
    ]
    assert len({first.tag, *(changed.tag for changed in changes)}) == 4


def content(shown: dict[board.Audience, Board]) -> str:
    return json.dumps({key: [each.pieces, each.frames, each.order] for key, each in shown.items()})


EVENTS = {
    "nothing": lambda site: None,
    "a run": lambda site: Site.objects.filter(pk=site.pk).update(recent="u1 u2", last_ms=2),
    "a new site": lambda site: make_site(),
    "a new group": lambda site: make_group(),
    "a name of a group": lambda site: Group.objects.filter(pk=site.group_id).update(name="Other"),
    "an outage": lambda site: make_outage(site, opened_at=NOW),
    "its end": lambda site: make_outage(site, resolved_at=NOW),
    "a fault": lambda site: run_of_probe(NOW, state="fault"),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_the_fingerprint_changes_whenever_the_drawing_does(event) -> None:
    site = make_up(NOW)
    prints, drawings = [board.fingerprint(NOW)], [content(board.draw(NOW, ["staff", "stranger"]))]
    event(site)
    prints.append(board.fingerprint(NOW))
    drawings.append(content(board.draw(NOW, ["staff", "stranger"])))
    assert (prints[0] == prints[1]) is (drawings[0] == drawings[1])


@pytest.mark.parametrize(
    "passed",
    [
        timedelta(seconds=50),  # not longer: the kept uptimes would be added up anew, in a thread
        timedelta(minutes=16),
        timedelta(hours=16),
        timedelta(days=15),
        timedelta(days=31),
    ],
    ids=["seconds", "old", "tomorrow", "certificate", "outage forgotten"],
)
def test_the_passing_of_time_is_in_the_fingerprint(passed) -> None:
    site = make_up(NOW, certificate_ends=NOW + timedelta(days=20))
    make_outage(site, resolved_at=NOW - timedelta(hours=1))
    later = NOW + passed
    same_print = board.fingerprint(NOW) == board.fingerprint(later)
    same = content(board.draw(NOW, ["user"])) == content(board.draw(later, ["user"]))
    assert same or not same_print


def test_a_told_recipient_is_in_the_fingerprint() -> None:
    outage = make_outage(make_down(NOW))
    before = board.fingerprint(NOW)
    tell(outage.falls.all(), ("email", "a@x.example", NOW))
    assert board.fingerprint(NOW) != before


def test_moments_are_told_in_the_zone_of_the_pages() -> None:
    with timezone.override("Asia/Tokyo"):
        assert "since 17:55" in row(make_down(NOW))


def test_a_group_counts_in_the_past_where_nobody_knows() -> None:
    group = make_group(name="Shop")
    for make in (make_up, make_up, make_down):
        make(NOW, group=group)
    run_of_probe(NOW, state="fault")
    assert words(drawn().pieces[f"group-{group.pk}-head"]) == "Shop 1 was down, 2 were up"
