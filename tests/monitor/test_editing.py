"""Staff's changes: what is written, what is left alone, and what becomes of a site's outage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.models import Alert
from monitor import editing
from monitor.errors import GroupGone, NameTaken
from monitor.models import Group, OutageSites, Site, SiteView
from tests.monitor.factories import make_down, make_group, make_outage, make_site, make_up, make_view

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_a_new_site_gets_a_free_slug() -> None:
    make_site(slug="shop")
    site = editing.add_site(Site(group=make_group(), name="Shop", url="http://shop.example/"))
    assert Site.objects.get(pk=site.pk).slug == "shop-2"


def test_names_in_other_scripts_get_slugs_too() -> None:
    slugs = [editing.add_group(Group(name=name)).slug for name in ("مرحبا", "日本")]
    assert slugs == ["-2", "-3"]


def test_a_name_that_is_taken_is_refused_and_nothing_else_breaks() -> None:
    site = make_site(name="Shop")
    with pytest.raises(NameTaken, match="The group has a site of this name"):
        editing.add_site(Site(group=site.group, name="Shop", url="http://shop.example/"))
    with pytest.raises(NameTaken, match="There is a group of this name"):
        editing.add_group(Group(name=site.group.name))
    assert Site.objects.count() == Group.objects.count() == 1


def test_renaming_to_a_name_that_is_taken_is_refused() -> None:
    first = make_site(name="Shop")
    second = make_site(name="Blog", group=first.group)
    second.name = "Shop"
    with pytest.raises(NameTaken):
        editing.edit_site(second, ["name"])
    assert Site.objects.get(pk=second.pk).name == "Blog"


def test_an_edit_writes_its_own_fields_alone_and_keeps_the_slug() -> None:
    site = make_up(slug="shop", name="Shop")
    Site.objects.filter(pk=site.pk).update(failures=2, interval_min=5)
    site.name = "Store"
    editing.edit_site(site, ["name"])
    stored = Site.objects.get(pk=site.pk)
    assert (stored.name, stored.slug, stored.failures, stored.interval_min) == ("Store", "shop", 2, 5)


@pytest.mark.parametrize(("field", "is_kept"), [("url", False), ("name", True)])
def test_another_address_has_another_certificate(field, is_kept) -> None:
    site = make_up(NOW, certificate_ends=NOW, certificate_read=NOW)
    setattr(site, field, "https://other.example/")
    editing.edit_site(site, [field])
    site = Site.objects.get(pk=site.pk)
    assert [site.certificate_ends, site.certificate_read] == [NOW if is_kept else None] * 2


def test_a_site_whose_group_is_gone_is_refused() -> None:
    site = Site(group=make_group(), name="Shop", url="http://shop.example/")
    Group.objects.all().delete()
    with pytest.raises(GroupGone, match="deleted meanwhile"):
        editing.add_site(site)


def test_a_row_that_is_gone_says_so() -> None:
    site = make_site()
    Site.objects.all().delete()
    for change in (editing.pause_site, editing.resume_site, editing.delete_site):
        with pytest.raises(Site.DoesNotExist):
            change(site.pk, NOW)
    with pytest.raises(Site.DoesNotExist):
        editing.edit_site(site, ["name"])
    with pytest.raises(Group.DoesNotExist):
        editing.delete_group(site.group_id + 1, NOW)


def test_pausing_a_site_that_is_down_takes_it_out_of_its_outage() -> None:
    down, other = make_down(NOW), make_down(NOW)
    outage = make_outage(down, other)
    editing.pause_site(down.pk, NOW)
    down.refresh_from_db()
    assert (down.enabled, down.state, down.failures, down.state_since) == (False, "unknown", 0, NOW)
    assert ending_of(down) == ("paused", NOW)
    outage.refresh_from_db()
    assert outage.resolved_at is None


@pytest.mark.parametrize("change", [editing.pause_site, editing.delete_site])
def test_the_last_one_withdrawn_resolves_the_outage_and_tells(change) -> None:
    down = make_down(NOW)
    outage = make_outage(down, opened_at=NOW)
    change(down.pk, NOW)
    outage.refresh_from_db()
    assert outage.resolved_at == NOW
    assert [alert.reference for alert in Alert.objects.all()] == [f"outage:{outage.pk}"]


def test_pausing_twice_keeps_the_first_moment() -> None:
    site = make_up()
    editing.pause_site(site.pk, NOW)
    again = editing.pause_site(site.pk, NOW.replace(hour=10))
    assert again.state_since == NOW


def test_resuming_starts_afresh() -> None:
    site = make_site(enabled=False)
    editing.resume_site(site.pk, NOW)
    site.refresh_from_db()
    assert (site.enabled, site.state, site.failures) == (True, "unknown", 0)


def test_deleting_a_site_takes_its_results_and_leaves_the_history() -> None:
    down = make_down(NOW)
    make_view(down)
    make_outage(down)
    editing.delete_site(down.pk, NOW)
    assert not SiteView.objects.exists()
    fall = OutageSites.objects.get()
    assert (fall.site, fall.site_name, fall.ending) == (None, down.name, "deleted")


def test_deleting_a_group_withdraws_all_its_sites() -> None:
    group = make_group()
    outage = make_outage(make_down(group=group), make_down(group=group))
    editing.delete_group(group.pk, NOW)
    assert not Site.objects.exists()
    outage.refresh_from_db()
    assert outage.resolved_at is not None
    assert {fall.ending for fall in outage.falls.all()} == {"deleted"}


def ending_of(site: Site) -> tuple[str, datetime | None]:
    fall = OutageSites.objects.get(site=site)
    return fall.ending, fall.back_at
