"""Which sites a run asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from djamon.lib.commands import DjamonError
from monitor.due import Selection, is_due, reads_certificate, require, targets
from monitor.models import Group, Site

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("interval_min", "ago_s", "due"),
    [
        pytest.param(None, 1, True, id="without an interval in every run"),
        pytest.param(5, None, True, id="never asked before"),
        pytest.param(5, 299, True, id="a run that starts a second early"),
        pytest.param(5, 300, True, id="exactly on time"),
        pytest.param(5, 241, False, id="the run a minute before"),
        pytest.param(5, -3600, True, id="asked in the future, the clock was set back"),
        pytest.param(1, 60, True, id="every minute"),
    ],
)
def test_a_site_is_due(interval_min, ago_s, due) -> None:
    last = None if ago_s is None else NOW - timedelta(seconds=ago_s)
    assert is_due(interval_min, last, NOW) is due


@pytest.fixture
def sites() -> None:
    shop, blog = (Group.objects.create(name=name, slug=name) for name in ("shop", "blog"))
    Site.objects.create(group=shop, name="a", slug="a", url="http://a.example/", good_codes="204, 200")
    Site.objects.create(group=shop, name="b", slug="b", url="http://b.example/", enabled=False)
    Site.objects.create(
        group=blog, name="c", slug="c", url="http://c.example/", interval_min=60, last_checked=NOW
    )
    Site.objects.create(group=blog, name="d", slug="d", url="http://d.example/", get_fallback=True)


@pytest.mark.parametrize(
    ("selection", "urls"),
    [
        pytest.param(Selection(), "ad", id="all: enabled and due"),
        pytest.param(Selection(sites=("c",)), "c", id="a named site is asked whether due or not"),
        pytest.param(Selection(sites=("b",)), "", id="a paused one is not"),
        pytest.param(Selection(groups=("blog",)), "cd", id="the sites of a group"),
        pytest.param(Selection(sites=("a",), groups=("blog",)), "acd", id="both together"),
    ],
)
def test_a_selection_names_whom_to_ask(sites, selection, urls) -> None:
    assert [target.url for target in targets(selection, NOW)] == [f"http://{name}.example/" for name in urls]


def test_a_target_carries_its_own_codes_or_those_of_all(sites, settings) -> None:
    settings.GOOD_CODES = frozenset({301})
    own, common = targets(Selection(), NOW)
    assert (own.good_codes, own.get_fallback) == (frozenset({200, 204}), False)
    assert (common.good_codes, common.get_fallback) == (frozenset({301}), True)


def test_those_that_failed_before_are_asked_first(sites) -> None:
    Site.objects.filter(slug="d").update(failures=2)
    assert [target.url for target in targets(Selection(), NOW)] == ["http://d.example/", "http://a.example/"]


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(sites=("a", "nope")), "no site has the slug 'nope'"),
        (Selection(groups=("a",)), "no group has the slug 'a'"),
    ],
    ids=["site", "group"],
)
def test_an_unknown_slug_is_named(sites, selection, said) -> None:
    with pytest.raises(DjamonError, match=said):
        require(selection)


@pytest.mark.parametrize(
    ("ends_h", "read_h", "wanted"),
    [
        pytest.param(None, None, True, id="never read"),
        pytest.param(1000, 11.9, False, id="read lately"),
        pytest.param(1000, 12, True, id="half a day ago"),
        pytest.param(47, 0.9, False, id="ends soon, read within the hour"),
        pytest.param(47, 1, True, id="ends soon, an hour ago"),
        pytest.param(-5, 1, True, id="has ended, an hour ago"),
        pytest.param(1000, -1, True, id="read in the future, the clock was set back"),
    ],
)
def test_a_certificate_is_read_twice_a_day_and_more_often_near_its_end(ends_h, read_h, wanted) -> None:
    ends = None if ends_h is None else NOW + timedelta(hours=ends_h)
    read = None if read_h is None else NOW - timedelta(hours=read_h)
    assert reads_certificate(ends, read, NOW) is wanted


def test_only_https_has_a_certificate(sites) -> None:
    Site.objects.filter(slug="a").update(url="HTTPS://a.example/")
    assert [target.read_certificate for target in targets(Selection(), NOW)] == [True, False]
