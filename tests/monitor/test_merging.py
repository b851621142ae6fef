"""Two people with the same form open: what each typed is written or shown again, never lost or undone."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from monitor import editing
from monitor.errors import ChangedMeanwhile
from monitor.models import Group, Site
from tests.monitor.factories import make_group, make_site, make_up

pytestmark = pytest.mark.django_db
SITE, GROUP = "/manage/site/shop/edit/", "/manage/group/web/edit/"


@pytest.fixture
def site() -> Site:
    return make_up(
        slug="shop", name="Shop", url="http://shop.example/", group=make_group(slug="web", name="Web")
    )


@pytest.fixture
def other_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("olga", is_staff=True))
    return client


def shown(response) -> dict[str, str]:
    """The fields of the form on a page, as a browser sends them when nothing is touched."""
    page = response.content.decode().partition("novalidate>")[2]  # after the form to log out
    fields = {}
    for tag in re.findall(r"<input [^>]+>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        empty = "on" if attributes["type"] == "checkbox" else ""
        ticked = not empty or " checked" in tag
        if "name" in attributes and ticked:
            fields[attributes["name"]] = html.unescape(attributes.get("value", empty))
    for name, options in re.findall(r'<select name="([^"]+)"(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_form_carries_what_it_was_filled_with(site, staff_client) -> None:
    fields = shown(staff_client.get(SITE))
    assert (fields["initial-name"], fields["initial-url"]) == ("Shop", "http://shop.example/")
    assert (fields["initial-group"], fields["initial-get_fallback"]) == (str(site.group_id), "False")
    assert "initial-name" not in shown(staff_client.get(reverse("site_add")))


def test_a_form_that_nobody_touched_changes_nothing(site, staff_client) -> None:
    Site.objects.update(get_fallback=True, interval_min=5, good_codes="200")
    fields = shown(staff_client.get(SITE))
    Site.objects.update(name="Theirs", interval_min=7, get_fallback=False)
    answer = staff_client.post(SITE, fields)
    assert answer["Location"] == "/site/shop/"
    assert Site.objects.values_list("name", "interval_min", "get_fallback", "good_codes").get() == (
        "Theirs",
        7,
        False,
        "200",
    )


def test_different_fields_of_a_site_are_both_saved(site, staff_client, other_client) -> None:
    mine, theirs = shown(staff_client.get(SITE)), shown(other_client.get(SITE))
    other_client.post(SITE, theirs | {"url": "https://new.example/", "get_fallback": "on"})
    answer = staff_client.post(SITE, mine | {"name": "Store", "interval_min": "5"})
    stored = Site.objects.get()
    assert (stored.name, stored.url, stored.interval_min, stored.get_fallback) == (
        "Store",
        "https://new.example/",
        5,
        True,
    )
    assert "it stays so: URL, GET where HEAD is refused." in said(answer)
    assert "is saved" in said(answer)


def test_the_same_field_is_asked_about_and_the_second_send_overwrites(
    site, staff_client, other_client
) -> None:
    mine, theirs = shown(staff_client.get(SITE)), shown(other_client.get(SITE))
    other_client.post(SITE, theirs | {"name": "Store <b>", "url": "https://new.example/"})
    page = staff_client.post(SITE, mine | {"name": "Bazaar", "good_codes": "204"})
    assert page.status_code == 200
    assert "Changed meanwhile to <bdi>Store &lt;b&gt;</bdi> by somebody else." in page.content.decode()
    assert Site.objects.values_list("name", "good_codes").get() == ("Store <b>", "")
    again = shown(page)
    assert (again["name"], again["good_codes"], again["url"]) == ("Bazaar", "204", "https://new.example/")
    assert staff_client.post(SITE, again)["Location"] == "/site/shop/"
    assert Site.objects.values_list("name", "good_codes", "url").get() == (
        "Bazaar",
        "204",
        "https://new.example/",
    )


def test_a_third_change_is_asked_about_again(site, staff_client) -> None:
    fields = shown(staff_client.get(SITE)) | {"name": "Mine"}
    for theirs in ("One", "Two"):
        Site.objects.update(name=theirs)
        page = staff_client.post(SITE, fields)
        assert f"Changed meanwhile to <bdi>{theirs}</bdi>" in page.content.decode()
        fields = shown(page)
    assert Site.objects.get().name == "Two"


def test_who_gives_up_by_typing_theirs_is_asked_nothing(site, staff_client) -> None:
    fields = shown(staff_client.get(SITE))
    Site.objects.update(name="Store")
    assert staff_client.post(SITE, fields | {"name": "Store"})["Location"] == "/site/shop/"


@pytest.mark.parametrize(
    ("field", "theirs", "mine", "sentence"),
    [
        ("interval_min", 7, "5", "Changed meanwhile to <bdi>7</bdi>"),
        ("interval_min", None, "5", "Emptied meanwhile"),
        ("good_codes", "", "204", "Emptied meanwhile"),
        ("url", "http://b.example/", "http:/x", "Changed meanwhile to <bdi>http://b.example/</bdi>"),
    ],
)
def test_every_kind_of_field_may_conflict(  # noqa: PLR0917
    site, staff_client, field, theirs, mine, sentence
) -> None:
    Site.objects.update(interval_min=3, good_codes="200")
    fields = shown(staff_client.get(SITE))
    Site.objects.update(**{field: theirs})
    assert sentence in staff_client.post(SITE, fields | {field: mine}).content.decode()


def test_a_move_to_two_groups_names_the_other(site, staff_client) -> None:
    fields, (one, two) = shown(staff_client.get(SITE)), (make_group(name="One"), make_group(name="Two"))
    Site.objects.update(group=one)
    page = staff_client.post(SITE, fields | {"group": two.pk}).content.decode()
    assert "Changed meanwhile to <bdi>One</bdi>" in page


def test_a_name_is_checked_in_the_group_where_the_site_stands_by_now(site, staff_client) -> None:
    fields, there = shown(staff_client.get(SITE)), make_site(name="Store")
    Site.objects.filter(pk=site.pk).update(group=there.group)
    page = staff_client.post(SITE, fields | {"name": "Store"}).content.decode()
    assert "The group has a site of this name." in page


def test_two_edits_of_a_group(site, staff_client, other_client) -> None:
    mine, theirs = shown(staff_client.get(GROUP)), shown(other_client.get(GROUP))
    other_client.post(GROUP, theirs | {"internal": "on"})
    assert "it stays so: Internal." in said(staff_client.post(GROUP, mine | {"name": "Intranet"}))
    assert Group.objects.values_list("name", "internal").get() == ("Intranet", True)
    page = other_client.post(GROUP, theirs | {"name": "Extranet"})
    assert "Changed meanwhile to <bdi>Intranet</bdi>" in page.content.decode()


@pytest.mark.parametrize(
    ("path", "name", "add"), [(SITE, "Störe", "site_add"), (GROUP, "Grüppe", "group_add")]
)
def test_what_was_deleted_meanwhile_can_be_added_anew(site, staff_client, path, name, add) -> None:
    fields = shown(staff_client.get(path)) | {"name": name}
    Site.objects.all().delete()
    if path == GROUP:
        Group.objects.all().delete()
    page = staff_client.post(path, fields)
    assert (page.status_code, "was deleted meanwhile" in page.content.decode()) == (404, True)
    assert f'action="{reverse(add)}"' in page.content.decode()
    assert staff_client.post(reverse(add), shown(page)).status_code == 302
    assert (Site if path == SITE else Group).objects.get().name == name


def test_a_site_that_went_with_its_group_keeps_what_was_typed(site, staff_client) -> None:
    fields = shown(staff_client.get(SITE)) | {"name": "Störe"}
    Group.objects.all().delete()
    page = staff_client.post(SITE, fields)
    again = staff_client.post(reverse("site_add"), shown(page)).content.decode()
    assert 'value="Störe"' in again


def test_a_change_in_the_very_moment_of_saving_is_refused(site) -> None:
    before = {"name": "Shop", "url": "http://shop.example/"}
    site.name = "Mine"
    Site.objects.update(name="Theirs")
    with pytest.raises(ChangedMeanwhile):
        editing.edit_site(site, ["name"], before)
    site.url = "http://new.example/"
    editing.edit_site(site, ["url"], before)
    assert Site.objects.values_list("name", "url").get() == ("Theirs", "http://new.example/")


def test_a_program_that_sends_the_fields_alone_edits_what_is_stored(site, staff_client) -> None:
    fields = {"group": site.group_id, "name": "Store", "url": site.url}
    assert staff_client.post(SITE, fields)["Location"] == "/site/shop/"
    assert Site.objects.get().name == "Store"
