"""The short text that keeps a site's last results."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from monitor.recent import KEPT, Recent, appended, parse
from monitor.verdicts import Verdict
from tests.monitor.factories import make_site, make_view, make_views

migration = import_module("monitor.migrations.0005_site_recent_and_certificate")


@pytest.mark.parametrize(
    ("kept", "verdict", "ms", "expected"),
    [
        pytest.param("", Verdict.UP, 12.34, "u12", id="the first one"),
        pytest.param("u12", Verdict.DOWN, 5000.6, "u12 d5001", id="the newest stands last"),
        pytest.param("u12", Verdict.INCONCLUSIVE, 0.0, "u12 i0", id="a fault of ours is kept too"),
    ],
)
def test_a_result_is_appended(kept, verdict, ms, expected):
    assert appended(kept, verdict, ms) == expected


def test_the_oldest_goes_where_there_are_too_many():
    kept = ""
    for number in range(KEPT + 3):
        kept = appended(kept, Verdict.UP, number)
    assert [result.ms for result in parse(kept)] == list(range(3, KEPT + 3))


def test_what_was_appended_is_read_back():
    assert parse("u12 d5001") == [Recent(Verdict.UP, 12), Recent(Verdict.DOWN, 5001)]
    assert parse("") == []


@pytest.mark.django_db
def test_the_migration_fills_it_from_the_views():
    asked, never = make_site(), make_site()
    make_views(asked, KEPT + 2)
    make_view(asked, verdict=Verdict.DOWN, total_ms=3.0)
    migration.fill_recent(apps, None)
    asked.refresh_from_db()
    never.refresh_from_db()
    assert [len(parse(asked.recent)), parse(asked.recent)[-1], never.recent] == [
        KEPT,
        Recent(Verdict.DOWN, 3),
        "",
    ]
