"""A new installation, from the command that prints the password to the first sites that are watched."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.serving import log_in, running, set_up


def test_prepare_prints_a_password_that_opens_an_empty_home(instance, tmp_path, visits) -> None:
    set_up(instance, tmp_path)
    printed = instance.must("prepare")
    name, password = (
        "".join(re.findall(rf"^ +{word} +(\S+)$", printed, re.MULTILINE)) for word in ("user", "password")
    )
    with running(instance) as served:
        page = visits(served).opens("/")
        expect(page).to_have_title(re.compile("Log in"))
        log_in(page, name, password)
        expect(page.get_by_role("main")).to_contain_text("Nothing is watched yet.")
        expect(page.get_by_role("link", name="Add the first group")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_title(re.compile("Log in"))


def test_a_wrong_password_is_refused_in_words(sized, visits) -> None:
    page = visits(sized("nothing")).opens("/login/")
    log_in(page, "admin", "wrong")
    expect(page.get_by_role("alert")).to_have_text("User name or password is wrong.")
    expect(page.get_by_label("User")).to_have_value("admin")
    expect(page.get_by_label("Password")).to_have_value("")


def test_the_first_group_and_site_are_added_by_form_and_asked(own, staff, web) -> None:
    page = staff(own).opens("/")
    page.get_by_role("link", name="Add the first group").click()
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Group")).to_have_value(re.compile("."))  # a site of the new group comes next
    page.get_by_label("Name", exact=True).fill("Front page")
    page.get_by_label("URL").fill(web.url("front"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Front page")).to_be_visible()
    own.probe()
    page.goto("/")
    expect(page.get_by_role("row", name=re.compile("Front page"))).to_contain_text("up")


def test_ten_sites_are_added_by_paste_with_a_preview(own, staff, web) -> None:
    page = staff(own).opens("/manage/sites/add/")
    page.locator("textarea").fill("\n".join(f"Site {n}, {web.url(f'site-{n}')}" for n in range(10)))
    page.get_by_label(re.compile("new group", re.IGNORECASE)).fill("Pasted")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-counts")).to_contain_text("10 to add")
    assert own.instance.value("SELECT count(*) FROM monitor_site") == 0
    page.get_by_role("button", name="Add 10 sites").click()
    expect(page.get_by_role("alert").or_(page.get_by_role("status")).first).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Pasted")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(r"^Site \d$"))).to_have_count(10)
