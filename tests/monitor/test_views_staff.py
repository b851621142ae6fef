"""The pages by which staff change things; members are refused, strangers are sent to the login."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.db.models.signals import pre_save
from django.test import Client, RequestFactory
from django.urls import reverse

from monitor import edit_views
from monitor.models import Group, Outage, Site
from tests.monitor.factories import make_down, make_group, make_outage, make_site, make_up, make_views

pytestmark = pytest.mark.django_db
FORMS = ["group_add", "group_edit", "group_delete", "site_add", "site_edit", "site_delete"]


@pytest.fixture
def site() -> Site:
    return make_up(slug="shop", name="Shop", group=make_group(slug="web", name="Web"))


def address(name: str) -> str:
    if name.endswith("_add"):
        return reverse(name)
    return reverse(name, args=["web" if name.startswith("group") else "shop"])


def typed(site: Site, **fields: object) -> dict[str, object]:
    """A site's form as a browser sends it."""
    return {"group": site.group_id, "name": site.name, "url": site.url} | fields


# --- Who may -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMS)
def test_forms_are_for_staff(  # noqa: PLR0917
    site, staff_client, member_client, stranger_client, settings, name
) -> None:
    settings.PUBLIC_STATUS = True
    assert staff_client.get(address(name)).status_code == 200
    assert member_client.get(address(name)).status_code == 403
    assert stranger_client.get(address(name)).status_code == 302


@pytest.mark.parametrize("name", [*FORMS, "site_pause"])
def test_nobody_else_can_post(site, member_client, stranger_client, settings, name) -> None:
    settings.PUBLIC_STATUS = True
    fields = typed(site, name="Taken over", value="pause")
    assert member_client.post(address(name), fields).status_code == 403
    assert stranger_client.post(address(name), fields).status_code == 403
    assert Site.objects.filter(name="Shop", enabled=True).count() == Group.objects.count() == 1


def test_forms_want_their_token(site, staff) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(address("site_delete")).status_code == 403
    assert Site.objects.exists()


# --- Groups --------------------------------------------------------------------------------------
def test_a_group_is_added_and_its_first_site_comes_next(staff_client) -> None:
    response = staff_client.post(reverse("group_add"), {"name": "Public web", "internal": "on"})
    assert response["Location"] == "/manage/site/add/?group=public-web"
    assert Group.objects.get().internal is True
    assert (
        f'value="{Group.objects.get().pk}" selected'
        in staff_client.get(response["Location"]).content.decode()
    )


def test_a_group_is_renamed_and_keeps_its_slug(site, staff_client) -> None:
    staff_client.post(address("group_edit"), {"name": "Intranet"})
    assert Group.objects.values_list("name", "slug").get() == ("Intranet", "web")


def test_deleting_a_group_says_what_goes_first(site, staff_client) -> None:
    make_views(site, 3)
    page = staff_client.get(address("group_delete")).content.decode()
    assert "1 site and 3 results go with it" in page
    assert Group.objects.exists()
    assert staff_client.post(address("group_delete"))["Location"] == "/"
    assert not Site.objects.exists()


# --- Sites ---------------------------------------------------------------------------------------
def test_a_site_is_added(site, staff_client) -> None:
    fields = typed(site, name="Blog", url="https://blog.example/", interval_min="5", good_codes="200, 404")
    response = staff_client.post(reverse("site_add"), fields)
    assert response["Location"] == "/site/blog/"
    added = Site.objects.get(slug="blog")
    assert (added.interval_min, added.good_codes, added.enabled, added.state) == (
        5,
        "200, 404",
        True,
        "unknown",
    )


def test_before_the_first_site_comes_a_group(staff_client) -> None:
    response = staff_client.get(reverse("site_add"))
    assert response["Location"] == reverse("group_add")
    assert "add the first group" in str(next(iter(get_messages(response.wsgi_request))))


def test_nothing_typed_is_lost_where_something_is_refused(site, staff_client) -> None:
    fields = typed(site, name="Blog <b>", url="http:/x", interval_min="x", good_codes="20", get_fallback="on")
    page = staff_client.post(reverse("site_add"), fields).content.decode()
    for kept in (
        'value="Blog &lt;b&gt;"',
        'value="http:/x"',
        'value="x"',
        'value="20"',
        "checked",
        "selected",
    ):
        assert kept in page
    assert "The URL names no host." in page
    assert Site.objects.count() == 1


def test_an_edit_keeps_slug_and_state(site, staff_client) -> None:
    assert staff_client.post(address("site_edit"), typed(site, name="Store"))["Location"] == "/site/shop/"
    site.refresh_from_db()
    assert (site.name, site.slug, site.state) == ("Store", "shop", "up")


def test_pause_and_resume_say_which_they_mean(site, staff_client) -> None:
    for value, enabled in (("pause", False), ("pause", False), ("resume", True), ("resume", True)):
        assert staff_client.post(address("site_pause"), {"value": value})["Location"] == "/site/shop/"
        assert Site.objects.get().enabled is enabled


@pytest.mark.parametrize("value", [None, "", "toggle"])
def test_a_pause_that_says_nothing_is_refused(site, staff_client, value) -> None:
    fields = {} if value is None else {"value": value}
    assert staff_client.post(address("site_pause"), fields).status_code == 400
    assert staff_client.get(address("site_pause")).status_code == 405


def test_pausing_the_site_that_is_down_ends_the_outage(staff_client) -> None:
    make_outage(make_down(slug="shop"))
    staff_client.post(address("site_pause"), {"value": "pause"})
    assert Outage.objects.get().resolved_at is not None


def test_deleting_a_site_says_what_goes_and_leaves_the_outage(staff_client) -> None:
    outage = make_outage(make_down(slug="shop", name="Shop"))
    assert "0 results go with it" in staff_client.get(address("site_delete")).content.decode()
    assert staff_client.post(address("site_delete"))["Location"] == "/"
    page = staff_client.get(outage.get_absolute_url()).content.decode()
    assert "Shop</bdi> (deleted)" in page
    assert "deleted while down" in page


# --- Long deletions ------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["group", "site"])
def test_a_deletion_that_takes_long_asks_whether_to_go_on(site, staff, what) -> None:
    make_views(site, 3)
    slug = site.slug if what == "site" else site.group.slug
    request = RequestFactory().post("/")
    request.user = staff
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    view = edit_views.site_delete if what == "site" else edit_views.group_delete
    page = view(request, slug, seconds=-1).content.decode()  # type: ignore[attr-defined]
    assert "3 results are left" in page
    assert "data-go-on" in page
    assert Site.objects.get().enabled is False
    assert view(request, slug).status_code == 302
    assert not Site.objects.exists()
    assert Group.objects.exists() is (what == "site")


# --- A session that ended ------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["group_add", "group_edit", "site_add", "site_edit"])
def test_a_form_is_sent_after_the_login(site, staff_client, name) -> None:
    staff_client.logout()
    asked = staff_client.post(address(name), typed(site, name="Störe <b>", url="http://new.example/"))
    login = {"username": "sam-staff", "password": "a long password", "kept": asked.context["kept"]}
    page = staff_client.post(reverse("login"), login)
    assert not {*Group.objects.filter(name="Störe <b>"), *Site.objects.filter(name="Störe <b>")}
    kept = page.context["kept"]
    assert staff_client.post(kept.path, dict(kept.fields)).status_code == 302
    assert (Group if name.startswith("group") else Site).objects.filter(name="Störe <b>").count() == 1


# --- Two people at once --------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["group_edit", "group_delete", "site_edit", "site_pause", "site_delete"])
def test_what_was_deleted_meanwhile_is_404(site, staff_client, name) -> None:
    Group.objects.all().delete()
    assert staff_client.post(address(name), typed(site, value="pause")).status_code == 404


def test_a_group_that_was_deleted_meanwhile_is_said_at_its_field(site, staff_client) -> None:
    gone = make_group()
    gone.delete()
    page = staff_client.post(address("site_edit"), typed(site, group=0)).content.decode()
    assert "Select a valid choice" in page


def test_a_name_that_others_keep_taking_is_said_at_its_field(site, staff_client) -> None:
    def somebody_is_faster(instance: Site, **_signal: object) -> None:
        Site.objects.bulk_create([Site(group=instance.group, name=instance.name, slug="x", url="http://x/")])

    pre_save.connect(somebody_is_faster, sender=Site)
    try:
        page = staff_client.post(reverse("site_add"), typed(site, name="Blog")).content.decode()
    finally:
        pre_save.disconnect(somebody_is_faster, sender=Site)
    assert "Others are adding rows of this name right now; try again." in page
    assert Site.objects.count() == 1


def test_an_edit_writes_only_what_was_changed(site, staff_client) -> None:
    make_site(group=site.group, name="Other")
    staff_client.post(address("site_edit"), typed(site, url="https://new.example/"))
    site.refresh_from_db()
    assert (site.url, site.last_code, site.last_reason) == ("https://new.example/", 200, "HTTP 200 OK")


def test_hostile_names_are_text_in_forms_and_messages(staff_client) -> None:
    name = "<script>alert(1)</script>"
    page = staff_client.post(reverse("group_add"), {"name": name}, follow=True).content.decode()
    assert "Group <bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi> is added." in page
    slug = Group.objects.get().slug
    assert "<script>alert" not in staff_client.get(reverse("group_delete", args=[slug])).content.decode()
