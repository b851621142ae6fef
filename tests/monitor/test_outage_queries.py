"""What the pages of outages read: what matches, what strangers may see, and along which indexes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitor import outage_queries
from monitor.models import Outage, OutageSites
from monitor.outage_queries import Filters
from tests.monitor.factories import make_down, make_group, make_outage, make_site

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def card_of(outage: Outage, filters: Filters | None = None, *, insider: bool = True):
    (card,) = outage_queries.outage_cards([outage], filters or Filters(), NOW, insider=insider)
    return card


def test_strangers_see_a_hidden_fall_without_a_name() -> None:
    open_site, intra, gone = make_down(), make_down(group=make_group(internal=True)), make_down(name="gone")
    outage = make_outage(open_site, intra, gone)
    gone.delete()
    cards = outage_queries.fall_cards(outage_queries.falls_in(outage), NOW, insider=False)
    assert [(card.name, card.hidden) for card in cards] == [
        (open_site.name, False),
        (outage_queries.HIDDEN_NAME, True),
        (outage_queries.HIDDEN_NAME, True),
    ]
    named = outage_queries.fall_cards(outage_queries.falls_in(outage), NOW, insider=True)
    assert [card.name for card in named] == [open_site.name, intra.name, "gone"]


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


def test_the_reason_of_a_hidden_fall_is_hidden_too() -> None:
    outage = make_outage(make_down(group=make_group(internal=True)))
    assert card_of(outage, insider=False).reason == ""


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
    assert len(found(week, insider=False)) == 4


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
    assert outage_queries.find_outage(None) is None
    make_outage(make_site(), resolved_at=NOW)
    current = make_outage(make_down())
    assert outage_queries.find_outage(None) == current


@pytest.mark.parametrize("pk", [0, 2**31, 2**63, 10**30])
def test_numbers_that_no_outage_can_have_find_none(pk: int) -> None:
    assert outage_queries.find_outage(pk) is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL scans small tables whatever they have")
def test_hot_queries_read_along_their_indexes() -> None:
    newest = outage_queries.outages(Filters(), insider=True)[2475:2500].explain()
    assert "USING INDEX monitor_outage_opened_at" in newest
    assert "TEMP B-TREE" not in newest
    falls = OutageSites.objects.filter(outage_id=1).order_by("fell_at", "pk").explain()
    assert "USING INDEX fall_by_outage_and_time (outage_id=?)" in falls
    assert "TEMP B-TREE" not in falls
