"""The pages for many sites at once: who may, what is shown first and written then; nothing typed is lost."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from jobs import recording
from jobs.models import JobRun
from monitor import bulk_views
from monitor.bulk_queries import Chosen
from monitor.models import Group, Outage, Site, SiteView
from tests.monitor.factories import make_down, make_group, make_outage, make_site, make_up, make_views

pytestmark = pytest.mark.django_db
PAGES = ["sites_add", "sites_import", "sites_manage"]
HEADER = "group,name,url\n"
HOSTILE = "<script>alert(1)</script> \u202eمرحبا 🚀"


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def seen(page: str) -> str:
    """The fingerprint of the preview on a page, as its form would send it."""
    found = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    return found[1] if found else ""


def chosen(*sites: Site) -> dict[str, list[int]]:
    return {"site": [site.pk for site in sites]}


# --- Who may -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_for_staff(staff_client, member_client, stranger_client, settings, name) -> None:
    settings.PUBLIC_STATUS = True
    assert staff_client.get(reverse(name)).status_code == 200
    assert member_client.get(reverse(name)).status_code == 403
    assert stranger_client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", [*PAGES, "sites_delete"])
def test_nobody_else_can_post(member_client, stranger_client, settings, name) -> None:
    settings.PUBLIC_STATUS = True
    site = make_up()
    fields = {
        "action": "pause",
        "site": site.pk,
        "sites": site.pk,
        "lines": "http://a.example/",
        "new_group": "Web",
    }
    assert member_client.post(reverse(name), fields).status_code == 403
    assert stranger_client.post(reverse(name), fields).status_code == 403
    assert Site.objects.get().enabled


@pytest.mark.parametrize("name", [*PAGES, "sites_delete"])
def test_forms_want_their_token(staff, name) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(reverse(name), {"sites": make_site().pk}).status_code == 403
    assert Site.objects.exists()


def test_deleting_is_no_link(staff_client) -> None:
    assert staff_client.get(reverse("sites_delete")).status_code == 405


def test_a_search_is_offered_as_soon_as_there_is_a_site(staff_client) -> None:
    searches = []
    for _ in range(2):
        found = re.search(r'<form id="board-filter"[^>]*>', staff_client.get("/").content.decode())
        searches.append(found is not None and " hidden" not in found[0])
        make_up()
    assert searches == [False, True]


def test_home_leads_staff_there_and_nobody_else(staff_client, member_client) -> None:
    make_up()
    links = [reverse(name) for name in PAGES]
    assert all(f'href="{link}"' in staff_client.get("/").content.decode() for link in links)
    assert not any(f'href="{link}"' in member_client.get("/").content.decode() for link in links)


# --- Adding by lines -----------------------------------------------------------------------------
def add(client: Client, lines: str, **fields: object):
    return client.post(reverse("sites_add"), {"lines": lines, "group": "", "new_group": ""} | fields)


def test_ten_lines_are_seen_and_added(staff_client) -> None:
    lines = "\n".join(f"Site {number}, https://site-{number}.example/" for number in range(10))
    page = add(staff_client, lines, new_group="Web").content.decode()
    assert "10 to add (with 1 new group)" in page
    assert "Add 10 sites" in page
    assert not Group.objects.exists()
    response = add(staff_client, lines, new_group="Web", write="yes", seen=seen(page))
    assert response["Location"] == "/"
    assert said(response) == "10 sites are added. The next run asks them."
    assert Site.objects.filter(group__name="Web").count() == 10


def test_what_is_refused_stays_for_correction(staff_client) -> None:
    group = make_group(name="Web")
    lines = "# ours\nhttps://a.example/\nshop.example <b>\n\nhttps://b.example/"
    page = add(staff_client, lines, group=group.pk).content.decode()
    assert "2 to add" in page
    assert "1 refused" in page
    page = add(staff_client, lines, group=group.pk, write="yes", seen=seen(page)).content.decode()
    assert "2 sites are added" in page
    assert "1 line was refused</strong> and left" in page
    assert "Nothing is written yet" not in page
    assert "# ours\nshop.example &lt;b&gt;\n</textarea>" in page
    assert "The URL starts with neither http:// nor https://." in page
    assert f'value="{group.pk}" selected' in page
    assert Site.objects.count() == 2


def test_nul_refuses_its_line_alone(staff_client) -> None:
    page = add(staff_client, "https://a.example/\nB\0, https://b.example/", new_group="Web").content.decode()
    assert "1 to add" in page
    reason = "a character that cannot be read, shown as \ufffd: delete it"
    assert re.search(rf'"number">2</td>.*?{reason}', page, re.DOTALL)
    browsers_text = "https://a.example/\r\nB\ufffd, https://b.example/"
    page = add(staff_client, browsers_text, new_group="Web", write="yes", seen=seen(page)).content.decode()
    assert "1 site is added." in page
    assert "B\ufffd, https://b.example/</textarea>" in page


def test_a_paste_beyond_the_limit_comes_back_with_its_form(staff_client) -> None:
    lines = "Site, https://site.example/\n" * 110_000  # 3 MB
    page = add(staff_client, lines, new_group="Web").content.decode()
    assert "This is more than 256 KiB; paste it in parts, or import a file." in page
    assert page.count("Site, https://site.example/") >= 110_000


def test_a_second_name_for_an_address_is_noted_and_allowed(staff_client) -> None:
    make_up(name="<Front>", url="https://a.example/")
    lines = "https://b.example/\nShop, https://a.example/"
    page = add(staff_client, lines, new_group="Web").content.decode()
    assert page.count("also watched as") == 1
    assert "also watched as <bdi>&lt;Front&gt;</bdi>" in page
    add(staff_client, lines, new_group="Web", write="yes", seen=seen(page))
    assert Site.objects.filter(url="https://a.example/").count() == 2


def test_a_group_made_with_the_good_lines_is_chosen_for_the_rest(staff_client) -> None:
    lines = "https://a.example/\nb"
    shown = seen(add(staff_client, lines, new_group="Web").content.decode())
    page = add(staff_client, lines, new_group="Web", write="yes", seen=shown).content.decode()
    assert f'value="{Group.objects.get().pk}" selected' in page


def test_a_second_click_adds_nothing_twice(staff_client) -> None:
    shown = seen(add(staff_client, "https://a.example/", new_group="Web").content.decode())
    for _ in range(2):
        response = add(staff_client, "https://a.example/", new_group="Web", write="yes", seen=shown)
    assert "changed since the preview" in response.content.decode()
    assert "1 already there" in response.content.decode()
    assert Site.objects.count() == 1


def test_lines_edited_after_the_preview_are_shown_first(staff_client) -> None:
    shown = seen(add(staff_client, "https://a.example/", new_group="Web").content.decode())
    response = add(staff_client, "https://b.example/", new_group="Web", write="yes", seen=shown)
    assert "nothing was written" in response.content.decode()
    assert not Site.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lines": ""}, "Write at least one line."),
        ({"lines": " \n# a\n"}, "all lines are empty or comments"),
        ({"lines": "http://a/\n" * 1001}, "These are 1,001 sites; at most 1,000 go at a time."),
        ({"lines": "é" * 131_073}, "more than 256 KiB"),
        ({"new_group": ""}, "Choose a group above, or name a new one here."),
        ({"new_group": "\u200b"}, "A name needs at least one visible character."),
        ({"new_group": "g" * 256}, "at most 255 characters"),
        ({"group": "999", "new_group": ""}, "The group has been deleted meanwhile; choose another."),
        ({"group": "x\0", "new_group": ""}, "Null characters are not allowed."),
        ({"group": "9" * 30, "new_group": ""}, "The group has been deleted meanwhile; choose another."),
    ],
    ids=[
        "nothing",
        "comments",
        "many",
        "large",
        "no-group",
        "blank",
        "long",
        "gone",
        "group-nul",
        "group-huge",
    ],
)
def test_what_is_wrong_stands_at_its_field(staff_client, fields: dict[str, str], message: str) -> None:
    response = staff_client.post(reverse("sites_add"), {"lines": "http://a/", "new_group": "Web"} | fields)
    assert response.status_code == 200
    assert any(message in error for errors in response.context["form"].errors.values() for error in errors)
    assert "is-invalid" in response.content.decode()
    assert not Group.objects.exists()


def test_a_group_and_a_new_one_are_one_too_many(staff_client) -> None:
    response = add(staff_client, "http://a.example/", group=make_group().pk, new_group="Web")
    assert response.context["form"].errors["new_group"] == ["Choose a group or name a new one, not both."]


def test_a_new_group_that_exists_is_that_group(staff_client) -> None:
    make_group(name="Web")
    page = add(staff_client, "http://a.example/", new_group="Web").content.decode()
    assert "1 to add,\n" in page
    add(staff_client, "http://a.example/", new_group="Web", write="yes", seen=seen(page))
    assert Site.objects.get().group == Group.objects.get()


def test_a_link_can_choose_the_group(staff_client) -> None:
    group = make_group(slug="web")
    page = staff_client.get(reverse("sites_add") + "?group=web").content.decode()
    assert f'value="{group.pk}" selected' in page


def test_hostile_names_are_text(staff_client) -> None:
    page = add(staff_client, f"{HOSTILE}, http://a.example/", new_group=HOSTILE).content.decode()
    assert "<script>alert" not in page
    add(staff_client, f"{HOSTILE}, http://a.example/", new_group=HOSTILE, write="yes", seen=seen(page))
    assert Site.objects.get().name == Group.objects.get().name == HOSTILE
    for name in ("home", "sites_manage"):
        assert "<script>alert" not in staff_client.get(reverse(name)).content.decode()


def test_a_new_group_that_differs_from_another_in_case_is_refused_at_its_field(staff_client) -> None:
    make_group(name="Shop")
    page = add(staff_client, "http://a.example/", new_group="shop").content.decode()
    assert "There is a group <bdi>Shop</bdi>, which differs in upper and lower case alone: choose it" in page
    assert "http://a.example/</textarea>" in page
    assert "1 to add" in add(staff_client, "http://a.example/", new_group="Shop").content.decode()


def test_a_thousand_pasted_lines_outlive_the_session(staff, staff_client) -> None:
    lines = "\r\n".join(f"Site {number}, https://site-{number}.example/a/path" for number in range(1000))
    staff_client.logout()
    page = add(staff_client, lines, new_group="Web").content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    login = {"username": "sam-staff", "password": "a long password", "kept": kept and kept[1]}
    page = staff_client.post(reverse("login"), login).content.decode()
    assert html.unescape(page).count("https://site-999.example/a/path") == 2  # to look at, and to send


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("its key", "<b>Web</b>"), ("9" * 30, "9" * 30), ("999", "999"), ("x", "x")],
    ids=["known", "huge", "gone", "no-key"],
)
def test_a_kept_form_names_the_group_that_was_chosen(staff, staff_client, chosen: str, shown: str) -> None:
    group = make_group(name="<b>Web</b>")
    staff_client.logout()
    page = add(
        staff_client, "https://a.example/", group=chosen.replace("its key", str(group.pk))
    ).content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    login = {"username": "sam-staff", "password": "a long password", "kept": kept and kept[1]}
    page = staff_client.post(reverse("login"), login).content.decode()
    assert re.search(rf"<dt>Group</dt>\s*<dd><pre[^>]*>{html.escape(shown)}</pre>", page)


# --- Importing -----------------------------------------------------------------------------------
def upload(client: Client, data: bytes | str):
    file = SimpleUploadedFile("sites.csv", data.encode() if isinstance(data, str) else data)
    return client.post(reverse("sites_import"), {"file": file})


def import_text(client: Client, text: str, **fields: str):
    return client.post(reverse("sites_import"), {"text": text, "bad_rows": "nothing"} | fields)


def test_a_file_is_seen_and_imported(staff_client) -> None:
    text = HEADER + "Web,Shop,http://shop.example/\nBlog,Blog,http://blog.example/\n"
    page = upload(staff_client, text).content.decode()
    assert "2 to add (with 2 new groups)" in page
    assert not Group.objects.exists()
    response = import_text(staff_client, text, write="yes", seen=seen(page))
    assert response["Location"] == "/"
    assert set(Site.objects.values_list("group__name", "name")) == {("Web", "Shop"), ("Blog", "Blog")}


def test_a_browser_sends_other_line_breaks_back(staff_client) -> None:
    text = HEADER + "Web,Shop,http://shop.example/\n"
    shown = seen(upload(staff_client, text).content.decode())
    import_text(staff_client, text.replace("\n", "\r\n"), write="yes", seen=shown)
    assert Site.objects.get().name == "Shop"


def test_all_or_nothing_says_so_at_its_field_and_keeps_the_text(staff_client) -> None:
    text = HEADER + "Web,Shop,http://shop.example/\nWeb,<b>,http:/x\n"
    page = upload(staff_client, text).content.decode()
    response = import_text(staff_client, text, write="yes", seen=seen(page))
    assert response.context["form"].errors["bad_rows"] == [
        "Nothing was written: 1 row is refused. Correct the text, or skip them."
    ]
    assert "Web,&lt;b&gt;,http:/x" in response.content.decode()
    assert not Group.objects.exists()


def test_bad_rows_can_be_skipped(staff_client) -> None:
    text = HEADER + "Web,Shop,http://shop.example/\nWeb,Blog,http:/x\n"
    shown = seen(upload(staff_client, text).content.decode())
    import_text(staff_client, text, bad_rows="skip", write="yes", seen=shown)
    assert Site.objects.get().name == "Shop"


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", HEADER + "x" * 1_000_001, HEADER + "\0"],
    ids=["empty", "header", "large", "nul"],
)
def test_text_that_comes_back_is_checked_again(staff_client, text: str) -> None:
    response = import_text(staff_client, text, write="yes", seen="0")
    assert response.context["form"].errors["text"]
    assert not Group.objects.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b"\n \n", "The file is empty."),
        (b"group,name,url\n\xff", "Line 2: the file is not UTF-8."),
        ("group,name,url\n".encode("utf-16")[:-1], "Line 1: the file is not UTF-16."),
        (b"group:name:url\n", "Line 1: unknown column 'group:name:url'; known are "),
        (b"group,name,url\nWeb,\0,http://a/\n", "Line 2 holds a NUL character: "),
        (HEADER.encode() + b"x" * 1_000_000, "or: .venv/bin/python manage.py import_sites FILE"),
    ],
    ids=["empty", "blank", "latin", "utf-16", "colons", "nul", "large"],
)
def test_a_bad_file_is_named_at_its_field(staff_client, data: bytes, message: str) -> None:
    response = upload(staff_client, data)
    assert message in response.context["form"].errors["file"][0]
    assert not Group.objects.exists()


def test_no_file_is_named_at_its_field(staff_client) -> None:
    response = staff_client.post(reverse("sites_import"), {})
    assert response.context["form"].errors["file"] == ["Choose a file."]


def test_a_long_preview_shows_the_refused_rows_and_counts_the_rest(staff_client) -> None:
    rows = "".join(f"Web,Site {number},http://site-{number}.example/\n" for number in range(600))
    response = upload(staff_client, HEADER + rows + "Web,Last,http:/x\n")
    page = response.content.decode()
    assert "And 101 more rows, not shown" in page
    assert response.context["rows"][0][0].line == 602


def test_a_preview_costs_the_same_for_any_number_of_rows(staff_client) -> None:
    def cost(number: int) -> int:
        rows = "".join(f"Web,Site {row},http://site-{row}.example/\n" for row in range(number))
        with CaptureQueriesContext(connection) as queries:
            upload(staff_client, HEADER + rows)
        return len(queries)

    assert cost(1) == cost(300)


def test_without_refused_rows_nobody_is_asked_about_them(staff_client) -> None:
    page = upload(staff_client, HEADER + "Web,Shop,http://shop.example/\n").content.decode()
    assert '<input type="hidden" name="bad_rows" value="nothing"' in page


# --- Managing ------------------------------------------------------------------------------------
def listed(client: Client, **query: str) -> list[str]:
    response = client.get(reverse("sites_manage"), query)
    return [card.site.name for card in response.context["cards"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Blog", "Shop", "Wiki"]),
        ({"q": "SHO"}, ["Shop"]),
        ({"q": "wiki.example"}, ["Wiki"]),
        ({"q": "%"}, []),
        ({"group": "web"}, ["Blog", "Shop"]),
        ({"group": "web", "state": "paused"}, ["Blog"]),
        ({"state": "down"}, ["Wiki"]),
        ({"state": "unknown"}, ["Shop"]),
        ({"group": "gone"}, []),
        ({"group": "a\0"}, []),
        ({"q": "a\0"}, []),
        ({"q": "x" * 256}, []),
        ({"state": "odd"}, []),
        ({"page": "99"}, ["Blog", "Shop", "Wiki"]),
    ],
)
def test_sites_are_found(staff_client, query: dict[str, str], names: list[str]) -> None:
    web, wiki = make_group(name="A", slug="web"), make_group(name="B")
    make_site(group=web, name="Shop", url="http://shop.example/")
    make_site(group=web, name="Blog", enabled=False, state="down")
    make_down(group=wiki, name="Wiki", url="http://wiki.example/")
    assert listed(staff_client, **query) == names


def test_the_list_costs_the_same_for_any_number_of_sites(staff_client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            staff_client.get(reverse("sites_manage"))
        return len(queries)

    make_up()
    first = cost()
    for _ in range(120):
        make_up()
    assert cost() == first
    assert len(listed(staff_client)) == 100


def test_many_are_paused_and_resumed_and_the_filter_stays(staff_client) -> None:
    sites = [make_up(), make_up(), make_site(enabled=False)]
    address = reverse("sites_manage") + "?q=Site"
    response = staff_client.post(address, chosen(*sites) | {"action": "pause"})
    assert response["Location"] == address
    assert said(response) == "2 sites are paused; the other 1 needed no change."
    response = staff_client.post(address, chosen(*sites) | {"action": "resume"})
    assert said(response).endswith("3 sites are resumed.")
    assert Site.objects.filter(enabled=True).count() == 3


def test_pausing_who_is_down_ends_the_outage(staff_client) -> None:
    sites = [make_down(), make_down()]
    make_outage(*sites)
    staff_client.post(reverse("sites_manage"), chosen(*sites) | {"action": "pause"})
    assert Outage.objects.get().resolved_at is not None


def test_all_that_match_can_be_chosen_on_every_page(staff_client) -> None:
    group = make_group(slug="web")
    for _ in range(101):
        make_up(group=group)
    other = make_up()
    address = reverse("sites_manage") + "?group=web"
    assert "all 101 sites that match" in staff_client.get(address).content.decode()
    staff_client.post(address, {"action": "pause", "all": "yes"})
    assert Site.objects.filter(enabled=True).get() == other


@pytest.mark.parametrize("ids", [[], ["x"], ["-1"], ["٣"], ["9" * 19], ["9" * 400], ["1\0"]])
def test_what_is_no_choice_changes_nothing(staff_client, ids: list[str]) -> None:
    make_up()
    response = staff_client.post(reverse("sites_manage"), {"action": "pause", "site": ids})
    assert said(response) == "No site is chosen: tick the sites first."
    assert Site.objects.get().enabled


def test_an_action_that_there_is_not_is_refused(staff_client) -> None:
    response = staff_client.post(reverse("sites_manage"), chosen(make_up()) | {"action": "explode"})
    assert response.status_code == 400


def test_deleting_asks_first_and_names_the_counts(staff_client) -> None:
    down, up, other = make_down(name=HOSTILE), make_up(), make_up()
    outage = make_outage(down)
    make_views(up, 3)
    address = reverse("sites_manage") + "?q="
    page = staff_client.post(address, chosen(down, up) | {"action": "delete"}).content.decode()
    assert "2 sites of 2 groups and 3 results go, for good" in page
    assert "1 of them is down and leaves the open outage" in page
    assert "<script>alert" not in page
    assert Site.objects.count() == 3
    ids = re.search(r'name="sites" value="([0-9,]+)"', page)
    assert ids
    response = staff_client.post(reverse("sites_delete"), {"sites": ids[1]})
    assert response["Location"] == reverse("sites_manage")
    assert Site.objects.get() == other
    assert not SiteView.objects.exists()
    assert [fall.ending for fall in outage.falls.all()] == ["deleted"]


def test_the_question_costs_the_same_for_any_number_of_sites(staff_client) -> None:
    def cost(number: int) -> int:
        fields = chosen(*[make_down() for _ in range(number)]) | {"action": "delete"}
        with CaptureQueriesContext(connection) as queries:
            staff_client.post(reverse("sites_manage"), fields)
        return len(queries)

    assert cost(1) == cost(60)


def test_large_counts_are_told_with_separators() -> None:
    chosen = Chosen(sites=10_000, groups=1_200, down=3_000, names=["a"], results="1 result")
    page = render_to_string("monitor/bulk_delete.html", {"chosen": chosen}, RequestFactory().get("/"))
    said = " ".join(strip_tags(page).split())
    assert "Delete 10,000 sites?" in said
    assert "10,000 sites of 1,200 groups and 1 result go" in said
    assert "3,000 of them are down" in said
    assert "and 9,999 more" in said


def test_a_deletion_that_takes_long_asks_whether_to_go_on(staff) -> None:
    site = make_up(name="Shop")
    make_views(site, 2)
    request = RequestFactory().post("/", {"sites": f"{site.pk}"})
    request.user, request.session = staff, {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    page = bulk_views.sites_delete(request, seconds=-1).content.decode()  # type: ignore[attr-defined]
    assert "Go on deleting?" in page
    assert "1 site with 2 results is left" in page
    assert "data-go-on" in page
    assert f'name="sites" value="{site.pk}"' in page
    site.refresh_from_db()
    assert not site.enabled


def test_sites_that_are_gone_are_passed_over(staff_client) -> None:
    response = staff_client.post(reverse("sites_delete"), {"sites": "1,2,x,,"})
    assert response["Location"] == reverse("sites_manage")


def test_sites_to_manage_are_grey_too_while_a_run_is_in_doubt(staff_client) -> None:
    now = timezone.now()
    run, held = recording.start("probe", {}, "cron", now)
    recording.finish(run, held, JobRun.State.FAULT, "our own connection is in doubt", now)
    make_up(now)
    page = staff_client.get(reverse("sites_manage")).content.decode()
    assert "was up" in page
    assert "state-up" not in page
