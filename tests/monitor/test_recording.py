"""Recording a run: views, states, outages and alerts, all or nothing, on a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.models import Alert
from monitor.models import Group, Outage, OutageSites, Site, SiteView
from monitor.outages import withdraw
from monitor.recording import record
from monitor.verdicts import ProbeResult, Verdict

T = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
UP, DOWN, INCONCLUSIVE = Verdict.UP, Verdict.DOWN, Verdict.INCONCLUSIVE
pytestmark = pytest.mark.django_db


def minute(number: int) -> datetime:
    return T + timedelta(minutes=number)


@pytest.fixture
def sites() -> list[Site]:
    group = Group.objects.create(name="Web", slug="web")
    return [
        Site.objects.create(group=group, name=name, slug=name, url=f"http://{name}.example/")
        for name in "abc"
    ]


def run(sites: list[Site], verdicts: str, at: datetime, hold=lambda: None):
    """One run: a letter a site, in order: u, d or i; a dot leaves the site out."""
    words = {
        "u": (UP, 200, "HTTP 200 OK"),
        "d": (DOWN, None, "connection refused"),
        "i": (INCONCLUSIVE, None, "ours"),
    }
    results = [
        ProbeResult(site.pk, at, *words[letter], verb="HEAD", total_ms=1.5)
        for site, letter in zip(sites, verdicts, strict=True)
        if letter != "."
    ]
    return record({site.pk: site.url for site in sites}, results, strikes=3, now=at, hold=hold)


def states(sites: list[Site]) -> list[tuple[str, int]]:
    return [
        (site.state, site.failures)
        for site in Site.objects.filter(pk__in=[s.pk for s in sites]).order_by("pk")
    ]


def subjects() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("subject", flat=True))


def test_a_run_leaves_a_view_and_the_current_state_of_each_site(sites) -> None:
    run(sites, "udi", T)
    assert states(sites) == [("up", 0), ("failing", 1), ("unknown", 0)]
    assert SiteView.objects.count() == 3
    first = Site.objects.get(pk=sites[0].pk)
    assert (first.last_checked, first.last_code, first.last_reason, first.last_ms) == (
        T,
        200,
        "HTTP 200 OK",
        1.5,
    )
    assert first.state_since == T


def test_a_site_fell_with_its_first_failure_and_knows_its_strikes(sites) -> None:
    for number in range(4):
        run(sites, "duu", minute(number))
    assert OutageSites.objects.values_list("strikes", "fell_at").get() == (3, T)
    assert Site.objects.get(pk=sites[0].pk).state_since == T


def test_with_one_strike_a_site_falls_at_that_answer(sites) -> None:
    record(
        {sites[0].pk: sites[0].url},
        [ProbeResult(sites[0].pk, T, DOWN, 500, "HTTP 500", verb="HEAD", total_ms=1.0)],
        strikes=1,
        now=T,
        hold=lambda: None,
    )
    assert OutageSites.objects.values_list("strikes", "fell_at").get() == (1, T)


def test_two_failures_leave_no_trace_but_their_views(sites) -> None:
    for number, verdicts in enumerate(["ddd", "ddd", "uuu"]):
        run(sites, verdicts, minute(number))
    assert states(sites) == [("up", 0)] * 3
    assert (SiteView.objects.count(), Outage.objects.count(), Alert.objects.count()) == (9, 0, 0)


def test_all_that_fall_in_one_run_share_one_outage_and_one_alert(sites) -> None:
    for number in range(3):
        recorded = run(sites, "ddu", minute(number))
    assert str(recorded.change) == f"outage {Outage.objects.get().pk} opened"
    assert states(sites) == [("down", 3), ("down", 3), ("up", 0)]
    falls = OutageSites.objects.order_by("site_name").values_list("site_name", "fell_at", "back_at")
    assert list(falls) == [("a", T, None), ("b", T, None)]
    assert subjects() == ["Down: a and b"]


def test_a_third_strike_joins_the_open_outage(sites) -> None:
    for number, verdicts in enumerate(["duu", "duu", "duu", "ddu", "ddu", "ddu"]):
        recorded = run(sites, verdicts, minute(number))
    assert str(recorded.change).endswith("joined")
    assert Outage.objects.get().falls.count() == 2
    assert subjects() == ["Down: a", "Also down: b"]


def test_the_outage_is_resolved_when_all_of_its_sites_are_back(sites) -> None:
    for number, verdicts in enumerate(["ddu", "ddu", "ddu", "udu", "udu"]):
        run(sites, verdicts, minute(number))
    assert Outage.objects.get().resolved_at is None
    recorded = run(sites, "uuu", minute(5))
    assert str(recorded.change).endswith("resolved")
    assert Outage.objects.get().resolved_at == minute(5)
    assert subjects() == ["Down: a and b", "Up again after 5 minutes: a and b"]


def test_one_falls_as_the_last_comes_back_and_the_outage_goes_on(sites) -> None:
    for number, verdicts in enumerate(["duu", "ddu", "ddu", "udu"]):
        run(sites, verdicts, minute(number))
    outage = Outage.objects.get()
    assert outage.resolved_at is None
    assert list(outage.falls.order_by("pk").values_list("site_name", "ending")) == [("a", "back"), ("b", "")]


def test_a_site_that_falls_again_has_a_second_row_in_the_same_outage(sites) -> None:
    for number, verdicts in enumerate(["dd.", "dd.", "dd.", "ud.", "dd.", "dd.", "dd."]):
        run(sites, verdicts, minute(number))
    assert Outage.objects.get().falls.filter(site=sites[0]).count() == 2


def test_the_next_fall_after_a_resolution_opens_another_outage(sites) -> None:
    for number, verdicts in enumerate(["d..", "d..", "d..", "u..", "d..", "d..", "d.."]):
        run(sites, verdicts, minute(number))
    assert Outage.objects.count() == 2


def test_a_fault_of_ours_changes_no_standing(sites) -> None:
    for number, verdicts in enumerate(["d..", "d..", "i..", "i.."]):
        run(sites, verdicts, minute(number))
    assert states(sites[:1]) == [("failing", 2)]
    run(sites, "d..", minute(5))
    assert states(sites[:1]) == [("down", 3)]


CHANGED_MEANWHILE = {
    "paused": lambda site: Site.objects.filter(pk=site.pk).update(enabled=False),
    "deleted": lambda site: site.delete(),
    "given another URL": lambda site: Site.objects.filter(pk=site.pk).update(url="http://new.example/"),
}


@pytest.mark.parametrize("change", CHANGED_MEANWHILE.values(), ids=CHANGED_MEANWHILE.keys())
def test_a_site_that_was_changed_while_it_was_asked_is_left_alone(sites, change) -> None:
    asked = list(sites)
    change(Site.objects.get(pk=sites[0].pk))
    recorded = run(asked, "duu", T)
    assert (recorded.views, recorded.skipped) == (2, 1)
    assert SiteView.objects.filter(site_id=asked[0].pk).count() == 0


def test_without_the_lease_nothing_is_written(sites) -> None:
    def lost() -> None:
        raise RuntimeError("lease lost")

    with pytest.raises(RuntimeError):
        run(sites, "ddd", T, hold=lost)
    assert SiteView.objects.count() == 0
    assert states(sites) == [("unknown", 0)] * 3


def test_a_clock_that_was_set_back_ends_an_outage_no_earlier_than_it_began(sites) -> None:
    for number, verdicts in zip([10, 11, 12, 1], ["d..", "d..", "d..", "u.."], strict=True):
        run(sites, verdicts, minute(number))
    outage = Outage.objects.get()
    assert outage.resolved_at == outage.opened_at


def test_each_fall_knows_the_alert_that_tells_of_it(sites) -> None:
    for number, verdicts in enumerate(["d..", "d.d", "ddd", "udd", ".dd"]):
        run(sites, verdicts, minute(number))
    for number, verdicts in enumerate(["d.", "d.", "d."], start=5):
        run(sites[:2], verdicts, minute(number))
    falls = OutageSites.objects.order_by("pk").values_list("site_name", "alert__subject")
    expected = [("a", "Down: a"), ("c", "Also down: c"), ("b", "Also down: b"), ("a", "Also down: a")]
    assert list(falls) == expected


@pytest.mark.parametrize("ending", [OutageSites.Ending.PAUSED, OutageSites.Ending.DELETED])
def test_withdrawing_the_last_site_that_is_down_resolves_the_outage(sites, ending) -> None:
    for number in range(3):
        run(sites, "dd.", minute(number))
    withdraw([sites[0].pk], ending, minute(3))
    assert Outage.objects.get().resolved_at is None
    withdraw([sites[1].pk, sites[2].pk], ending, minute(4))
    assert Outage.objects.get().resolved_at == minute(4)
    assert subjects()[-1] == "Over after 4 minutes: a and b"


def test_withdrawing_sites_that_are_not_down_says_nothing(sites) -> None:
    withdraw([site.pk for site in sites], OutageSites.Ending.PAUSED, T)
    assert not Alert.objects.exists()


def test_a_run_takes_a_handful_of_statements_however_many_sites(django_assert_max_num_queries) -> None:
    group = Group.objects.create(name="Many", slug="many")
    many = Site.objects.bulk_create(
        Site(group=group, name=f"s{n}", slug=f"s{n}", url=f"http://s{n}.example/") for n in range(400)
    )
    with django_assert_max_num_queries(12):
        run(many, "u" * 400, T)


def test_only_a_certificate_that_was_read_is_stored(sites) -> None:
    old, new = minute(1000), minute(9000)
    Site.objects.update(certificate_ends=old, certificate_read=minute(-9))
    results = [
        ProbeResult(site.pk, T, UP, 200, "HTTP 200 OK", "HEAD", 1.5, certificate_ends=ends)
        for site, ends in zip(sites, (new, None, new), strict=True)
    ]
    Site.objects.filter(pk=sites[2].pk).update(url="https://other.example/")
    record({site.pk: site.url for site in sites}, results, strikes=3, now=T, hold=lambda: None)
    kept = Site.objects.order_by("pk").values_list("certificate_ends", "certificate_read")
    assert list(kept) == [(new, T), (old, minute(-9)), (old, minute(-9))]
