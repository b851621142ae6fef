"""Bulk writes, held against what the ORM stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from djamon.lib import bulk
from djamon.lib.uuid7 import uuid7
from monitor.models import Site, SiteView
from monitor.verdicts import Verdict
from tests.monitor.factories import make_site

pytestmark = pytest.mark.django_db
NAMES = ("id", "site_id", "date", "verdict", "code", "reason", "verb", "total_ms", "wait_ms")
MOMENTS = [
    pytest.param(datetime(2026, 3, 1, 12, 0, 0, 120, tzinfo=UTC), id="microseconds"),
    pytest.param(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), id="a full second"),
    pytest.param(datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))), id="another zone"),
]


def raw(table: str, key: Any) -> tuple[Any, ...]:
    """The row as it lies in the database, without the ORM's conversions."""
    stored = key if connection.vendor == "postgresql" else getattr(key, "hex", key)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [stored])
        return tuple(cursor.fetchone())


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_inserted_row_is_what_the_orm_would_store(moment):
    site, mine, orms = make_site(), uuid7(), uuid7()
    words = "0x1 \\N\t\n 'quoted' é 漢 🙂"
    values = (site.pk, moment, Verdict.DOWN, None, words, "HEAD", 1.25, None)
    bulk.insert(SiteView, NAMES, [(mine, *values)])
    SiteView.objects.create(**dict(zip(NAMES, (orms, *values), strict=True)))
    assert raw("monitor_siteview", mine)[1:] == raw("monitor_siteview", orms)[1:]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_updated_row_is_what_the_orm_would_store(moment):
    names = ("state", "failures", "last_checked", "last_verdict", "last_code", "last_reason", "last_ms")
    values = (Site.State.UP, 2, moment, Verdict.UP, None, "{a,\"b\"} \\ NULL 'c'", 0.5)
    mine, orms = make_site(name="same", url="http://same/"), make_site(name="same", url="http://same/")
    bulk.update(Site, names, [(*values, mine.pk)])
    Site.objects.filter(pk=orms.pk).update(**dict(zip(names, values, strict=True)))
    strip = {"id", "group_id", "slug"}
    kept = [field.attname for field in Site._meta.concrete_fields if field.column not in strip]
    rows = Site.objects.filter(pk__in=[mine.pk, orms.pk]).values_list(*kept)
    assert rows[0] == rows[1]
    assert rows[0] == tuple(Site.objects.filter(pk=orms.pk).values_list(*kept)[0])


def test_each_row_gets_its_own_values():
    sites = [make_site() for _ in range(3)]
    bulk.update(Site, ["failures"], [(number, site.pk) for number, site in enumerate(sites)])
    assert [site.failures for site in Site.objects.order_by("pk")] == [0, 1, 2]


READS = {
    "a range in its order": Site.objects.filter(failures__gte=1).order_by("-failures"),
    "some of them": Site.objects.order_by("failures")[1:3],
    "signs of SQL in a parameter": Site.objects.filter(name="100 % 'x' %s").order_by("pk"),
    "nothing found": Site.objects.filter(failures=77),
    "nothing possible": Site.objects.filter(pk__in=[]),
}


@pytest.mark.parametrize("rows", [pytest.param(rows, id=name) for name, rows in READS.items()])
def test_rows_that_are_read_are_those_that_the_orm_reads(rows):
    for number, name in enumerate(("one", "100 % 'x' %s", "漢 🙂", "four")):
        Site.objects.filter(pk=make_site(name=name).pk).update(failures=number, last_ms=number / 7)
    asked = rows.values_list("failures", "name", "last_ms", "last_code")
    assert bulk.read(asked) == list(asked)


def test_a_question_that_the_database_refuses_is_an_error_of_django():
    asked = Site.objects.extra(where=["no_such_column = 1"]).values_list("pk")
    with pytest.raises(DatabaseError), transaction.atomic():
        bulk.read(asked)


def test_no_row_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert(SiteView, NAMES, [])
        bulk.update(Site, ["failures"], [])


def test_what_the_database_refuses_is_an_error_of_django():
    site, key = make_site(), uuid7()
    row = (key, site.pk, datetime(2026, 3, 1, tzinfo=UTC), 1, 200, "", "HEAD", 1.0, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(SiteView, NAMES, [row, row])
    assert not SiteView.objects.exists()
