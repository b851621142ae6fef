"""Every page, with nothing, little and much in it: readable by everybody, in both colours, on a phone too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import overflow, violations
from tests.browser.conftest import DESKTOP, PHONE

ANYWHERE = ["/", "/outages/", "/timings/", "/manage/sites/", "/jobs/"]
FORMS = [
    "/manage/group/add/",
    "/manage/group/group-1/edit/",
    "/manage/group/group-1/delete/",
    "/manage/site/add/",
    "/manage/site/site-1-2/edit/",
    "/manage/site/site-1-2/delete/",
    "/manage/sites/add/",
    "/manage/sites/import/",
    "/manage/note/1/edit/",
    "/manage/note/1/delete/",
    "/password/",
    "/tokens/",
]
READ = [
    "/site/site-1-2/",
    "/site/site-1-2/?range=7d",
    "/outage/",
    "/outage/1/",
    "/timings/?q=nobody",
    "/timings/shop.py-buy?range=24h",
    "/timings/shop.py-search?token=nobody&from=2027-01-01",
    "/timings/shop.py-buy?from=2026-01-01&to=2026-01-02",
]
COLOURS = "color-contrast"


def faults_of(page: Page, *, colours: bool = True) -> list[str]:
    """What is wrong with the page that is open: for readers, in both colours, at both widths."""
    if page.locator("html").get_attribute("data-bs-theme") != "light":
        return ["it is not light"]
    found = violations(page, without=[] if colours else [COLOURS])
    if colours:
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {fault}" for fault in violations(page, COLOURS)]
        page.emulate_media(color_scheme="light")
    for window in (PHONE, DESKTOP):
        page.set_viewport_size(window)
        found += [f"{window['width']}: {fault}" for fault in [overflow(page)] if fault]
    return found


@pytest.mark.parametrize(
    ("size", "paths"),
    [
        pytest.param("nothing", [*ANYWHERE, "/outage/"], id="nothing"),
        pytest.param("little", [*ANYWHERE, *READ], id="little"),
        pytest.param("little", FORMS, id="forms"),
    ],
)
def test_pages_are_readable_by_everybody(size, paths, sized, staff) -> None:
    page = staff(sized(size)).opens(paths[0], color_scheme="light")
    faults = []
    for path in paths:
        page.goto(path)
        assert page.locator("main").get_by_role("heading", level=1).is_visible(), path
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    assert faults == []


def test_so_they_are_with_much_in_them(sized, staff) -> None:
    """Colours are left out: they are the same, and comparing thousands takes long."""
    paths = [*ANYWHERE, "/site/site-1-4/", "/outage/", "/outage/4/", "/timings/?sort=-p95"]
    page = staff(sized("much")).opens("/", color_scheme="light")
    faults = []
    for path in paths:
        page.goto(path)
        faults += [f"{path}: {fault}" for fault in faults_of(page, colours=False)]
    assert faults == []


def test_so_is_the_description_of_the_api(sized, staff) -> None:
    page = staff(sized("little")).opens("/api/docs", color_scheme="light")
    page.locator(".opblock").first.wait_for()
    # Swagger's own: a button in a button.
    faults = [*violations(page, without=["nested-interactive"]), overflow(page)]
    page.set_viewport_size(PHONE)
    assert [fault for fault in [*faults, overflow(page)] if fault] == []


@pytest.mark.parametrize("path", ["/login/", "/nowhere/"])
def test_so_is_what_a_stranger_sees(path, sized, visits) -> None:
    visitor = visits(sized("little"))
    visitor.watch.expected.append("404")
    page = visitor.opens(path, viewport=PHONE, color_scheme="dark")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    assert [*violations(page), *filter(None, [overflow(page)])] == []


def test_names_are_shown_as_they_are_and_do_nothing(sized, staff) -> None:
    page = staff(sized("much")).opens("/")
    assert page.get_by_text(re.compile(r'<script>alert\("x"\)')).count() > 0
    assert page.locator("main script, main b").count() == 0
