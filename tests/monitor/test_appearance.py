"""Words, styles and the headline: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils.html import strip_tags

from monitor.appearance import headline, is_old, look_of, up_of
from monitor.models import Site
from monitor.verdicts import Verdict

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def site(state: str, minutes_ago: float = 1, *, name: str = "Shop", since_min: float = 5, **fields) -> Site:
    return Site(
        name=name,
        slug=fields.pop("slug", "a"),
        state=state,
        last_checked=NOW - timedelta(minutes=minutes_ago),
        state_since=NOW - timedelta(minutes=since_min),
        **fields,
    )


@pytest.mark.parametrize(
    ("minutes_ago", "interval_min", "old"),
    [
        pytest.param(15, None, False, id="three-slow-runs"),
        pytest.param(15.1, None, True, id="more"),
        pytest.param(15, 1, False, id="a-minute-still-has-the-slow-runs"),
        pytest.param(180, 60, False, id="three-intervals"),
        pytest.param(181, 60, True, id="more-than-three-intervals"),
        pytest.param(-5, None, False, id="a-clock-set-back"),
    ],
)
def test_a_state_is_old_after_three_runs_that_did_not_come(minutes_ago, interval_min, old) -> None:
    assert is_old(NOW - timedelta(minutes=minutes_ago), interval_min, NOW) is old


def test_what_was_never_asked_is_not_old() -> None:
    assert is_old(None, None, NOW) is False


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        pytest.param(site("up"), "up", id="up"),
        pytest.param(site("failing"), "failing", id="failing"),
        pytest.param(site("down"), "down", id="down"),
        pytest.param(site("down", 16), "old", id="down-but-long-ago"),
        pytest.param(Site(state="unknown"), "not asked yet", id="new"),
        pytest.param(site("unknown", 60), "not asked yet", id="resumed"),
        pytest.param(site("up", 60, enabled=False), "paused", id="paused"),
    ],
)
def test_the_badge_says(shown: Site, word: str) -> None:
    assert look_of(shown, NOW).word == word


@pytest.mark.parametrize(
    ("state", "verdict", "enabled", "up"),
    [
        ("up", Verdict.UP, True, True),
        ("failing", Verdict.DOWN, True, False),
        ("down", Verdict.DOWN, True, False),
        ("up", Verdict.INCONCLUSIVE, True, None),
        ("unknown", None, True, None),
        ("unknown", Verdict.UP, True, None),
        ("up", Verdict.UP, False, None),
    ],
)
def test_up_is_what_the_last_answer_said(state, verdict, enabled, up) -> None:
    assert up_of(Site(state=state, last_verdict=verdict, enabled=enabled)) is up


@pytest.mark.parametrize(
    ("shown", "word", "key"),
    [
        pytest.param(site("up"), "was up", "up", id="up"),
        pytest.param(site("failing"), "was failing", "failing", id="failing"),
        pytest.param(site("down", 60), "was down", "down", id="down"),
        pytest.param(Site(state="unknown"), "not asked yet", "unknown", id="new"),
        pytest.param(site("up", enabled=False), "paused", "paused", id="paused"),
    ],
)
def test_in_doubt_no_state_is_claimed(shown: Site, word: str, key: str) -> None:
    look = look_of(shown, NOW, doubt=True)
    assert (look.word, look.key) == (word, key)
    assert look.style in {"unknown", "paused"}


def said(sites: list[Site], *, doubt: bool = False) -> tuple[str, str]:
    """The headline as it is read, and its style."""
    for pk, each in enumerate(sites):
        each.pk = pk
    looks = [(each, look_of(each, NOW, doubt=doubt)) for each in sites]
    told = headline(looks, {each.pk: each.state_since for each in sites}, NOW)
    return unescape(strip_tags(told.html)), told.style


@pytest.mark.parametrize(
    ("sites", "text"),
    [
        ([site("up")] * 3, "All 3 sites were up when last asked."),
        ([site("up")], "The one site was up when last asked."),
        ([site("failing"), site("up")], "No site was down when last asked; 1 of 2 sites was failing."),
        ([site("down"), site("up")], "1 of 2 sites was down when last asked: Shop since 08:55."),
        ([Site()], "No site has been asked yet."),
    ],
    ids=["up", "one", "failing", "down", "new"],
)
def test_news_are_old_news_where_the_last_run_is_in_doubt(sites, text) -> None:
    assert said(sites, doubt=True) == (text, "unknown")


@pytest.mark.parametrize(
    ("sites", "text", "style"),
    [
        pytest.param([site("up")], "The one site is up.", "up", id="one-up"),
        pytest.param([site("up")] * 12, "All 12 sites are up.", "up", id="all-up"),
        pytest.param(
            [site("up"), site("up", enabled=False)], "1 of 2 sites is up; 1 paused.", "up", id="paused"
        ),
        pytest.param([site("up", enabled=False)], "The one site is paused.", "unknown", id="one-paused"),
        pytest.param(
            [site("up", enabled=False)] * 12, "All 12 sites are paused.", "unknown", id="all-paused"
        ),
        pytest.param(
            [site("up")] * 1200 + [site("up", enabled=False)] * 1300,
            "1,200 of 2,500 sites are up; 1,300 paused.",
            "up",
            id="thousands",
        ),
        pytest.param([Site()], "No site has been asked yet.", "unknown", id="new"),
        pytest.param(
            [site("up", 16)], "No site is known to be up; 1 not asked lately.", "unknown", id="all-old"
        ),
        pytest.param(
            [site("up"), site("up", 16)], "1 of 2 sites is up; 1 not asked lately.", "unknown", id="old"
        ),
        pytest.param(
            [site("failing"), site("up")],
            "No site is down; 1 of 2 sites is failing.",
            "failing",
            id="failing",
        ),
        pytest.param([site("down")], "1 of 1 site is down: Shop since 08:55.", "down", id="down"),
        pytest.param(
            [site("down", name="A"), site("failing"), site("down", name="B", since_min=60 * 24)],
            "2 of 3 sites are down: B since 2026-11-01 09:00, A since 08:55.",
            "down",
            id="longest-first",
        ),
        pytest.param(
            [site("down", name=name) for name in "ABCDE"],
            "5 of 5 sites are down: A since 08:55, B since 08:55, C since 08:55 and 2 more.",
            "down",
            id="many",
        ),
        pytest.param(
            [site("down", name="x" * 255)],
            f"1 of 1 site is down: {'x' * 59}… since 08:55.",
            "down",
            id="long-name",
        ),
    ],
)
def test_the_headline_says(sites: list[Site], text: str, style: str) -> None:
    assert said(sites) == (text, style)


def test_a_name_in_the_headline_is_a_link_that_cannot_turn_the_sentence() -> None:
    fallen = site("down", name="<b>\u202eShop", slug="shop")
    html = headline([(fallen, look_of(fallen, NOW))], {}, NOW).html
    assert '<a href="/site/shop/"><bdi>&lt;b&gt;\u202eShop</bdi></a>.' in html
