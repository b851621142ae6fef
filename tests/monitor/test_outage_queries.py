"""What the pages of outages read: what matches, what strangers may see, and along which indexes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitor import outage_queries
from monitor.models import Outage, OutageSites, Site
from monitor.outage_queries import Filters
from tests.monitor.factories import make_down, make_group, make_outage, make_site

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def card_of(outage: Outage, filters: Filters | None = None, *, insider: bool = True):
    (card,) = outage_queries.outage_cards([outage], filters or Filters(), NOW, insider=insider)
    return card


# --- As strangers see them -----------------------------------------------------------------------
@pytest.fixture
def mixed() -> Outage:
    """Open for an hour: of two public sites one is back, the other never fell; an internal one is down."""
    outage = make_outage(make_down(name="wiki", group=make_group(internal=True)), opened_at=NOW - DAY / 24)
    add_fall(outage, make_site(name="shop"), fell=50, back=40, reason="HTTP 503")
    add_fall(outage, make_site(name="blog"), fell=45, back=30, reason="timeout")
    return outage


def add_fall(outage: Outage, site: Site, fell: int, back: int | None, reason: str = "refused") -> OutageSites:
    """A fall so many minutes before now."""
    return OutageSites.objects.create(
        outage=outage,
        site=site,
        site_name=site.name,
        site_url=site.url,
        fell_at=NOW - timedelta(minutes=fell),
        back_at=None if back is None else NOW - timedelta(minutes=back),
        ending="" if back is None else "back",
        reason=reason,
    )


def test_strangers_see_the_falls_of_public_sites_alone(mixed) -> None:
    add_fall(mixed, gone := make_site(name="gone"), fell=59, back=1)
    gone.delete()
    for insider, names in ((False, ["shop", "blog"]), (True, ["wiki", "gone", "shop", "blog"])):
        cards = outage_queries.fall_cards(outage_queries.falls_in(mixed, insider=insider), NOW)
        assert [card.name for card in cards] == names


def test_begin_and_end_are_those_of_the_public_falls(mixed) -> None:
    seen = outage_queries.find_outage(mixed.pk, insider=False)
    assert seen is not None
    assert (seen.opened_at, seen.resolved_at) == (NOW - timedelta(minutes=50), NOW - timedelta(minutes=30))
    mixed.refresh_from_db()
    assert (mixed.opened_at, mixed.resolved_at) == (NOW - timedelta(hours=1), None)


def test_a_public_site_that_is_down_leaves_it_open_to_strangers_too(mixed) -> None:
    add_fall(mixed, make_down(), fell=20, back=None)
    for pk in (mixed.pk, None):
        seen = outage_queries.find_outage(pk, insider=False)
        assert seen is not None
        assert (seen.opened_at, seen.resolved_at) == (NOW - timedelta(minutes=50), None)


def test_to_strangers_an_outage_without_public_falls_is_none() -> None:
    over = make_outage(make_site(), opened_at=NOW - 2 * DAY, resolved_at=NOW - DAY)
    internal = make_outage(make_down(group=make_group(internal=True)), opened_at=NOW)
    assert outage_queries.find_outage(internal.pk, insider=False) is None
    assert outage_queries.find_outage(None, insider=False) is None
    assert outage_queries.find_outage(None, insider=True) == internal
    assert outage_queries.latest_outage(insider=False) == over
    assert outage_queries.latest_outage(insider=True) == internal


def test_a_strangers_card_counts_public_falls_alone(mixed) -> None:
    card = card_of(mixed, insider=False)
    assert (card.names, card.more, card.reason, card.other_reasons) == (["shop", "blog"], 0, "HTTP 503", 1)
    assert (card.lasted, card.outage.resolved_at) == ("20 minutes", NOW - timedelta(minutes=30))
    assert card_of(mixed).other_reasons == 2


# --- Cards of the list ---------------------------------------------------------------------------
def test_a_card_names_three_and_counts_the_rest() -> None:
    outage = make_outage(*(make_down(name=name) for name in "abcde"), opened_at=NOW - timedelta(hours=1))
    card = card_of(outage)
    assert (card.names, card.more, card.lasted) == (["a", "b", "c"], 2, "1 hour")
    assert card.reason == "connection refused"


def test_a_card_names_what_was_asked_for() -> None:
    outage = make_outage(*(make_down(name=name) for name in ("a", "b", "c", "shop")))
    card = card_of(outage, Filters(name="sho"))
    assert (card.names, card.more) == (["shop"], 3)


def test_a_site_that_fell_twice_is_named_once() -> None:
    site = make_down(name="a")
    outage = make_outage(site, resolved_at=NOW)
    fall = outage.falls.get()
    fall.pk = None
    fall.save()
    card = card_of(outage)
    assert (card.names, card.more) == (["a"], 0)


# --- Filters -------------------------------------------------------------------------------------
@pytest.fixture
def week() -> dict[str, Outage]:
    """Four outages; the first began a day before the others and went on into the second's day."""
    web, intra = make_group(), make_group(internal=True)
    shop, wiki = make_site(name="Shop", group=web), make_site(name="Wiki", group=intra)
    return {
        "long": make_outage(shop, opened_at=NOW - 5 * DAY, resolved_at=NOW - 4 * DAY),
        "short": make_outage(wiki, opened_at=NOW - 4 * DAY, resolved_at=NOW - 3.5 * DAY),
        "both": make_outage(shop, wiki, opened_at=NOW - 2 * DAY, resolved_at=NOW - 1.9 * DAY),
        "open": make_outage(make_down(name="100 %", group=web), opened_at=NOW - DAY),
    }


def found(week: dict[str, Outage], *, insider: bool = True, **fields: object) -> list[str]:
    names = {outage.pk: name for name, outage in week.items()}
    outages = outage_queries.outages(Filters(**fields), insider=insider)  # type: ignore[arg-type]
    return [names[outage.pk] for outage in outages]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ["open", "both", "short", "long"]),
        ({"state": "open"}, ["open"]),
        ({"state": "over"}, ["both", "short", "long"]),
        ({"name": "sHoP"}, ["both", "long"]),
        ({"name": "%"}, ["open"]),
        ({"name": "_"}, []),
        ({"since": NOW - 4.1 * DAY}, ["open", "both", "short", "long"]),
        ({"since": NOW - 3.9 * DAY}, ["open", "both", "short"]),
        ({"until": NOW - 4.5 * DAY}, ["long"]),
        ({"since": NOW - 3 * DAY, "until": NOW - 1.5 * DAY}, ["both"]),
        ({"since": NOW + DAY}, ["open"]),
        ({"name": "wiki", "state": "over", "until": NOW - 3 * DAY}, ["short"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_filters_narrow_the_list(week, fields, names) -> None:
    assert found(week, **fields) == names


def test_groups_and_sites_narrow_the_list(week) -> None:
    shop = week["long"].falls.get().site
    assert found(week, site=shop.pk) == ["both", "long"]
    assert found(week, group=shop.group_id) == ["open", "both", "long"]
    assert found(week, group=shop.group_id, name="Wiki") == []


def test_strangers_cannot_find_what_is_hidden_by_its_name(week) -> None:
    wiki = week["short"].falls.get().site
    assert found(week, insider=False, name="Wiki") == []
    assert found(week, insider=False, site=wiki.pk) == []
    assert found(week, insider=False, group=wiki.group_id) == []


def test_strangers_filter_by_what_is_public(week) -> None:
    wiki = week["open"].falls.get().site
    add_fall(week["short"], wiki, fell=int(3.9 * 1440), back=int(3.8 * 1440))
    week["long"].falls.all().delete()
    internal = make_group(internal=True)
    add_fall(week["long"], make_site(group=internal), fell=5 * 1440, back=None)
    assert found(week, insider=False) == ["open", "both", "short"]
    assert found(week, insider=False, state="open") == ["open"]
    assert found(week, insider=False, state="over") == ["both", "short"]
    assert found(week, insider=False, since=NOW - 3.7 * DAY) == ["open", "both"]
    assert found(week, insider=False, until=NOW - 3.95 * DAY) == []
    assert found(week, insider=False, until=NOW - 3.85 * DAY, name="100") == ["short"]


def test_places_are_in_the_order_of_names_and_hidden_from_strangers() -> None:
    for name in ("b", "A", "c"):
        make_site(name=name, group=make_group(internal=name == "c"))
    assert [place.name for place in outage_queries.places("", "", insider=True).sites.values()] == [
        "A",
        "b",
        "c",
    ]
    strangers = outage_queries.places("", "", insider=False)
    assert (len(strangers.sites), len(strangers.groups)) == (2, 2)


def test_of_too_many_sites_only_the_chosen_one_is_offered(monkeypatch) -> None:
    monkeypatch.setattr(outage_queries, "PLACES_OFFERED", 1)
    group = make_group()
    make_site(slug="a", group=group)
    make_site(slug="b", group=group)
    assert set(outage_queries.places("", "b", insider=True).sites) == {"b"}
    assert outage_queries.places("", "\0", insider=True).sites == {}
    assert set(outage_queries.places("", "", insider=True).groups) == {group.slug}


# --- One -----------------------------------------------------------------------------------------
def test_the_current_outage_is_the_open_one() -> None:
    assert outage_queries.find_outage(None, insider=True) is None
    make_outage(make_site(), resolved_at=NOW)
    current = make_outage(make_down())
    assert outage_queries.find_outage(None, insider=True) == current


@pytest.mark.parametrize("pk", [0, 2**31, 2**63, 10**30])
def test_numbers_that_no_outage_can_have_find_none(pk: int) -> None:
    assert outage_queries.find_outage(pk, insider=True) is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_hot_queries_read_along_their_indexes() -> None:
    newest = outage_queries.outages(Filters(), insider=True)[2475:2500].explain()
    assert "USING INDEX monitor_outage_opened_at" in newest
    assert "TEMP B-TREE" not in newest
    public = outage_queries.outages(Filters(), insider=False)[2475:2500].explain()
    assert "USING INDEX monitor_outage_opened_at" in public
    assert "fall_by_outage_and_time (outage_id=?)" in public
    assert "TEMP B-TREE" not in public
    falls = OutageSites.objects.filter(outage_id=1).order_by("fell_at", "pk").explain()
    assert "USING INDEX fall_by_outage_and_time (outage_id=?)" in falls
    assert "TEMP B-TREE" not in falls
