"""With JavaScript off everything can still be read and edited."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.serving import log_in
from tests.browser.sketches import PASSWORD


def test_one_logs_in_reads_and_edits(own_little, visits) -> None:
    page = visits(own_little).opens("/", java_script_enabled=False, viewport=PHONE)
    log_in(page, "admin", PASSWORD)
    expect(page.get_by_role("link", name="Outages")).to_be_visible()  # the menu stands open
    expect(page.get_by_text(re.compile("1 of 3 sites is down"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Basket"))).to_contain_text("down")
    page.get_by_role("link", name="Basket", exact=True).first.click()
    expect(page.get_by_role("heading", name="Basket", level=1)).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.locator("details[open] table")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Basket of old")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("Basket of old")


def test_home_is_searched_by_the_server(sized, visits) -> None:
    page = visits(sized("little")).opens("/", java_script_enabled=False)
    log_in(page, "mia", PASSWORD)
    page.get_by_role("searchbox").fill("blog")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row", name=re.compile("Blog"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Basket"))).to_have_count(0)
