"""Django's admin obeys the same rules as the pages, and reads no table to its end."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models.signals import pre_delete
from django.urls import reverse

from monitor.admin import BoundedPaginator
from monitor.models import Group, Outage, OutageSites, Site, SiteView
from tests.monitor.factories import (
    make_down,
    make_group,
    make_outage,
    make_site,
    make_up,
    make_view,
    make_views,
)

pytestmark = pytest.mark.django_db


class ShortPaginator(BoundedPaginator):
    most = 20


@pytest.fixture
def root(admin_client):
    return admin_client


def change(site: Site, **fields: object) -> dict[str, object]:
    return {"group": site.group_id, "name": site.name, "url": site.url} | fields


@pytest.mark.parametrize("model", ["group", "site", "outage", "siteview"])
def test_lists_and_details_open(root, model) -> None:
    site = make_down()
    make_view(site)
    make_outage(site)
    row = {"group": Group, "site": Site, "outage": Outage, "siteview": SiteView}[model]._default_manager.get()
    assert root.get(reverse(f"admin:monitor_{model}_changelist")).status_code == 200
    assert root.get(reverse(f"admin:monitor_{model}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", ["outage", "siteview"])
def test_what_runs_write_is_read_only(root, model) -> None:
    assert root.get(reverse(f"admin:monitor_{model}_add")).status_code == 403


def test_a_site_gets_its_slug(root) -> None:
    group = make_group()
    make_site(slug="shop")
    fields = {"group": group.pk, "name": "Shop", "url": "http://shop.example/", "enabled": "on"}
    assert root.post(reverse("admin:monitor_site_add"), fields).status_code == 302
    assert Site.objects.get(group=group).slug == "shop-2"


def test_a_group_gets_its_slug_and_keeps_it(root) -> None:
    root.post(reverse("admin:monitor_group_add"), {"name": "Web"})
    root.post(reverse("admin:monitor_group_change", args=[Group.objects.get().pk]), {"name": "Intranet"})
    assert Group.objects.values_list("name", "slug").get() == ("Intranet", "web")


def test_switching_a_site_off_is_a_pause(root) -> None:
    site = make_down()
    outage = make_outage(site)
    root.post(reverse("admin:monitor_site_change", args=[site.pk]), change(site, url="http://new.example/"))
    site.refresh_from_db()
    assert (site.enabled, site.state, site.failures, site.url) == (False, "unknown", 0, "http://new.example/")
    assert outage.falls.get().ending == OutageSites.Ending.PAUSED


def test_switching_it_on_again_is_a_resumption(root) -> None:
    site = make_site(enabled=False)
    root.post(reverse("admin:monitor_site_change", args=[site.pk]), change(site, enabled="on"))
    assert Site.objects.get().enabled is True


@pytest.mark.parametrize("model", ["site", "group"])
@pytest.mark.parametrize("bulk", [False, True], ids=["one", "action"])
def test_deleting_withdraws_from_the_outage(root, model, bulk) -> None:
    site = make_down()
    outage = make_outage(site)
    row = site if model == "site" else site.group
    if bulk:
        fields = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        root.post(reverse(f"admin:monitor_{model}_changelist"), fields)
    else:
        own_page = root.get(reverse(f"admin:monitor_{model}_delete", args=[row.pk]))["Location"]
        assert own_page == reverse(f"{model}_delete", args=[row.slug])
        root.post(own_page)
    assert not Site.objects.exists()
    assert outage.falls.get().ending == OutageSites.Ending.DELETED


@pytest.mark.parametrize("model", ["site", "group"])
def test_a_deletion_is_confirmed_by_counts_not_by_lists(root, model) -> None:
    site = make_up()
    make_views(site, 30)
    row = site if model == "site" else site.group
    fields = {"action": "delete_selected", "_selected_action": [row.pk]}
    page = root.post(reverse(f"admin:monitor_{model}_changelist"), fields).content.decode()
    assert "30 results" in page
    assert "2026-" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", ["site", "group"])
def test_deleting_from_the_list_goes_in_short_transactions(root, model) -> None:
    site = make_up()
    make_views(site, 3)
    held: list[bool] = []
    row = site if model == "site" else site.group

    def note_it(**_signal: object) -> None:
        held.append(any(connection.savepoint_ids))

    pre_delete.connect(note_it, sender=Group if model == "group" else Site)
    try:
        fields = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        root.post(reverse(f"admin:monitor_{model}_changelist"), fields)
    finally:
        pre_delete.disconnect(note_it, sender=Group if model == "group" else Site)
    # A transaction around the whole action would show as a savepoint in each step.
    assert held
    assert not any(held)


@pytest.mark.parametrize("model", ["site", "group"])
def test_a_row_that_is_gone_is_said_by_the_admin(root, model) -> None:
    answer = root.get(reverse(f"admin:monitor_{model}_delete", args=[0]), follow=True)
    assert "doesn’t exist" in answer.content.decode()


def test_what_others_changed_meanwhile_stays_and_the_same_field_is_asked_about(root) -> None:
    site = make_up(name="Shop", url="http://shop.example/")
    address = reverse("admin:monitor_site_change", args=[site.pk])
    page = root.get(address)
    seen = {
        f"initial-{name}": "" if value is None else value
        for name, value in page.context["adminform"].form.initial.items()
    }
    assert 'name="initial-url" value="http://shop.example/"' in page.content.decode()
    Site.objects.update(url="https://new.example/", get_fallback=True)
    root.post(address, change(site, name="Store", enabled="on") | seen)
    assert Site.objects.values_list("name", "url", "get_fallback").get() == (
        "Store",
        "https://new.example/",
        True,
    )
    page = root.post(address, change(site, name="Bazaar", enabled="on") | seen).content.decode()
    assert "Changed meanwhile to <bdi>Store</bdi>" in page
    assert Site.objects.get().name == "Store"


def test_a_group_spelled_like_another_is_refused(root) -> None:
    make_group(name="Shop")
    page = root.post(reverse("admin:monitor_group_add"), {"name": "SHOP"}).content.decode()
    assert "differs in upper and lower case alone" in page
    assert Group.objects.count() == 1


def test_the_paginator_counts_no_further_than_it_shows() -> None:
    make_views(make_site(), 30)
    rows = SiteView.objects.order_by("-id")
    assert BoundedPaginator(rows, 10).num_pages == 3
    assert ShortPaginator(rows, 10).num_pages == 2


def test_a_list_of_results_takes_few_queries(root, django_assert_max_num_queries) -> None:
    for _ in range(5):
        make_views(make_up(), 10)
    with django_assert_max_num_queries(5):
        root.get(reverse("admin:monitor_siteview_changelist"))
