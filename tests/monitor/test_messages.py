"""What alerts say: rows that were never saved, words that can be read here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor import messages
from monitor.models import Group, Outage, OutageSites, Site

T = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def fall(
    name: str, *, internal: bool = False, lasted_s: int | None = None, ending: str = "back"
) -> OutageSites:
    site = Site(pk=1, name=name, group=Group(name="g", internal=internal))
    return OutageSites(
        site=site,
        site_name=name,
        site_url=f"http://{name.lower()[:20]}.example/",
        fell_at=T,
        reason="connection refused",
        back_at=None if lasted_s is None else T + timedelta(seconds=lasted_s),
        ending="" if lasted_s is None else ending,
    )


def outage(lasted_s: int | None = None) -> Outage:
    return Outage(
        pk=12, opened_at=T, resolved_at=None if lasted_s is None else T + timedelta(seconds=lasted_s)
    )


FELL = {
    "one": (["Shop"], False, "Down: Shop", "Shop is down.", "Down: Shop"),
    "two": (["Shop", "Blog"], False, "Down: Shop and Blog", "Shop and Blog are down.", "Down: Shop and Blog"),
    "three": (["A", "B", "C"], False, "Down: A, B and C", "A, B and C are down.", "Down: A, B and C"),
    "many": (
        list("ABCDE"),
        False,
        "Down: A, B and 3 more",
        "A, B and 3 more are down.",
        "Down: A, B, C, D and E",
    ),
    "joined": (["Shop"], True, "Also down: Shop", "Shop is also down.", "Also down: Shop"),
}


@pytest.mark.parametrize(("names", "joined", "subject", "head", "public"), FELL.values(), ids=FELL.keys())
def test_a_fall_names_the_sites(names, joined, subject, head, public) -> None:
    draft = messages.fell(outage(), [fall(name) for name in names], joined=joined)
    assert (draft.subject, draft.text.splitlines()[0], draft.public) == (subject, head, public)
    assert draft.reference == "outage:12"


def test_a_fall_tells_each_site_with_url_time_and_reason_and_links_to_the_outage(settings) -> None:
    settings.SITE_URL, settings.TIME_ZONE = "https://status.example", "Europe/Berlin"
    draft = messages.fell(outage(), [fall("Shop")], joined=False)
    assert "http://shop.example/\n  down since 2026-11-02 10:00:00 CET: connection refused" in draft.text
    assert "https://status.example/outage/12/" in draft.text
    assert 'href="https://status.example/outage/12/"' in draft.html


def test_the_html_escapes_what_people_typed() -> None:
    draft = messages.fell(outage(), [fall("<script>x</script>")], joined=False)
    assert "&lt;script&gt;" in draft.html
    assert "<script>" not in draft.html


RESOLVED = {
    "back": ([("Shop", 3661, "back")], "Up again after 1 hour, 1 minute, 1 second: Shop", "up again"),
    "twice": (
        [("Shop", 60, "back"), ("Shop", 90, "back")],
        "Up again after 1 minute, 30 seconds: Shop",
        "up again",
    ),
    "paused": ([("Shop", 5, "paused")], "Over after 5 seconds: Shop", "paused while down"),
    "deleted": ([("Shop", 5, "deleted")], "Over after 5 seconds: Shop", "deleted while down"),
    "clock set back": ([("Shop", -5, "back")], "Up again after 0 seconds: Shop", "0 seconds; up again"),
}


@pytest.mark.parametrize(("falls", "subject", "course"), RESOLVED.values(), ids=RESOLVED.keys())
def test_a_recovery_tells_the_duration_and_each_course(falls, subject, course) -> None:
    rows = [fall(name, lasted_s=lasted, ending=ending) for name, lasted, ending in falls]
    draft = messages.resolved(outage(max(lasted for _name, lasted, _ending in falls)), rows)
    assert draft.subject == subject
    assert course in draft.text
    assert draft.public is not None
    assert draft.public.endswith(")")


PUBLIC = {
    "an internal site is left out": ([("Shop", False), ("Vault", True)], "Down: Shop"),
    "nothing but internal sites: no post": ([("Vault", True)], None),
    "names that fit are all named": ([("n" * 30, False)] * 5, "Down: " + "n" * 30),
}


@pytest.mark.parametrize(("sites", "public"), PUBLIC.values(), ids=PUBLIC.keys())
def test_the_public_post(sites, public) -> None:
    draft = messages.fell(outage(), [fall(name, internal=internal) for name, internal in sites], joined=False)
    assert draft.public == public


@pytest.mark.parametrize("length", [1, 30, 79, 81, 255])
@pytest.mark.parametrize("count", [1, 2, 9, 99, 1000])
def test_a_post_has_at_most_280_characters_and_no_url(length, count) -> None:
    draft = messages.fell(outage(), [fall(f"{n:03}" + "n" * length) for n in range(count)], joined=False)
    assert draft.public is not None
    assert len(draft.public) <= 280
    assert "http" not in draft.public
    assert draft.public.startswith("Down: 000n")


def test_a_long_list_is_cut_in_mails_and_says_so() -> None:
    draft = messages.fell(outage(), [fall(f"s{n}") for n in range(60)], joined=False)
    assert "… and 10 more sites." in draft.text
    assert "… and 10 more sites." in draft.html
    assert draft.text.count("http://s") == 50


def test_a_deleted_site_may_have_been_internal_and_is_not_posted() -> None:
    gone = fall("Vault", lasted_s=5)
    gone.site = None
    assert messages.resolved(outage(5), [gone]).public is None
