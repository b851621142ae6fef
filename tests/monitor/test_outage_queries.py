"""What the pages of outages read: what strangers may see, and along which indexes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitor import outage_queries
from monitor.models import Outage, OutageSites
from tests.monitor.factories import make_down, make_group, make_outage, make_site

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


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


def test_a_card_names_three_and_counts_the_rest() -> None:
    outage = make_outage(*(make_down(name=name) for name in "abcde"), opened_at=NOW - timedelta(hours=1))
    (card,) = outage_queries.outage_cards([outage], NOW, insider=True)
    assert (card.names, card.more, card.lasted) == (["a", "b", "c"], 2, "1 hour")


def test_a_site_that_fell_twice_is_named_once() -> None:
    site = make_down(name="a")
    outage = make_outage(site, resolved_at=NOW)
    fall = outage.falls.get()
    fall.pk = None
    fall.save()
    (card,) = outage_queries.outage_cards([outage], NOW, insider=True)
    assert (card.names, card.more) == (["a"], 0)


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
    newest = Outage.objects.all()[:25]
    falls = OutageSites.objects.filter(outage_id=1).order_by("fell_at", "pk")
    assert "USING INDEX monitor_outage_opened_at" in newest.explain()
    assert "USING INDEX monitor_outagesites_outage_id" in falls.explain()
