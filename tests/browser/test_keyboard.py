"""Without a mouse: every step by the keys that browsers give."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.sketches import PASSWORD


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Presses Tab until what has the focus is called so, and that can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and re.search(name, _called(focused.first)):
            assert focused.first.is_visible()
            return
    raise AssertionError(f"{name} is not reached by {most} tabs")


def _called(element) -> str:
    words = element.evaluate(
        "one => one.getAttribute('aria-label') || one.labels?.[0]?.innerText || one.innerText || ''"
    )
    return str(words).strip()


def test_one_logs_in(sized, visits) -> None:
    page = visits(sized("little")).opens("/")
    tab_to(page, "User")
    page.keyboard.type("admin")
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_the_skip_link_comes_first_shows_itself_and_skips(sized, staff) -> None:
    page = staff(sized("little")).opens("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("main :focus").count() == 1


def test_on_a_phone_the_menu_opens_and_leads_on(sized, staff) -> None:
    page = staff(sized("little")).opens("/", viewport=PHONE)
    expect(page.get_by_role("link", name="Outages")).to_be_hidden()
    tab_to(page, "^Menu$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Outages")).to_be_visible()
    tab_to(page, "^Outages$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Outages", level=1)).to_be_visible()


def test_a_group_folds_and_a_site_opens(sized, staff) -> None:
    page = staff(sized("little")).opens("/")
    row = page.get_by_role("link", name="Blog", exact=True)
    tab_to(page, "^Shop")
    page.keyboard.press("Enter")
    expect(row).to_be_hidden()
    page.keyboard.press("Enter")
    expect(row).to_be_visible()
    tab_to(page, "^Blog$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Blog", level=1)).to_be_visible()


def test_a_form_is_filled_and_sent(sized, staff) -> None:
    page = staff(sized("little")).opens("/tokens/")
    tab_to(page, "^Name")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("By keyboard")
