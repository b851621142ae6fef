"""Home while it is open: sites fall and rise on it, and whoever reads or types is not disturbed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import serving

SITES = [f"site-{number:02}" for number in range(40)]
FALLS = SITES[-1]


@pytest.fixture
def watched(copies, web, mail):
    """An installation with forty sites, all of which have just been up."""
    with copies("nothing", **mail.settings("ops@example.org")) as instance:
        instance.add_sites(**{name: web.url(name) for name in SITES})
        instance.must("probe")
        with serving(instance) as served:
            yield served


def top_of(page: Page, name: str) -> float:
    return float(
        page.get_by_role("row", name=re.compile(name)).evaluate("row => row.getBoundingClientRect().top")
    )


def test_a_site_falls_and_rises_and_nobody_is_disturbed(watched, staff, web) -> None:
    page = staff(watched).opens("/")
    headline, row = page.locator("#headline"), page.get_by_role("row", name=re.compile(FALLS))
    expect(headline).to_contain_text("All 40 sites are up")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("searchbox").fill("site")
    page.evaluate("window.scrollTo(0, 400)")
    steady = top_of(page, SITES[20])
    bars = row.locator(".bars-link").get_attribute("aria-label")

    web.codes[FALLS] = 503
    watched.probe()
    expect(row.locator(".state")).to_have_text("failing")
    watched.probe(2)
    expect(row.locator(".state")).to_have_text("down")
    expect(headline).to_contain_text("1 of 40 sites is down")
    expect(headline).to_contain_text(FALLS)
    expect(headline).to_contain_text("ops@example.org")
    assert row.locator(".bars-link").get_attribute("aria-label") != bars
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("site")
    assert abs(top_of(page, SITES[20]) - steady) <= 2

    page.keyboard.type("-3")  # goes on where it was left
    expect(page.get_by_role("row", name=re.compile(SITES[20]))).to_be_hidden()
    web.codes.clear()
    watched.probe()
    expect(row.locator(".state")).to_have_text("up")
    expect(headline).to_contain_text("All 40 sites are up")
    expect(page.get_by_role("searchbox")).to_have_value("site-3")
    assert page.evaluate("window.notReloaded")


def test_a_folded_group_stays_folded_and_a_new_site_appears(watched, staff, web) -> None:
    page = staff(watched).opens("/")
    summary = page.locator("#groups summary").first
    summary.click()
    row = page.get_by_role("link", name=SITES[0], exact=True)
    expect(row).to_be_hidden()
    watched.instance.add_sites(newcomer=web.url("newcomer"))
    watched.probe()
    expect(summary).to_contain_text("41 up")
    expect(row).to_be_hidden()
    expect(summary).to_be_focused()
    summary.press("Enter")
    expect(page.get_by_role("link", name="newcomer", exact=True)).to_be_visible()


def test_a_page_that_lost_its_server_finds_it_again(copies, staff, web) -> None:
    with copies("nothing") as instance:
        instance.add_sites(shop=web.url("shop"))
        instance.must("probe")
        with serving(instance) as served:
            visitor = staff(served)
            visitor.watch.expected.append("Failed to load resource: net::ERR_")
            page = visitor.opens("/")
            expect(page.locator("#headline")).to_contain_text("up")
            page.evaluate("window.notReloaded = true")
        expect(page.get_by_text("Not live")).to_be_visible()
        a_minute_later(page)
        expect(page.get_by_text("No connection since")).to_be_visible()
        expect(page.locator("#board")).to_have_class("board-stale")
        with serving(instance):
            web.codes["shop"] = 500
            instance.must("probe")
            row = page.get_by_role("row", name=re.compile("shop"))
            expect(row.locator(".state")).to_have_text("failing", timeout=40_000)
            assert page.evaluate("window.notReloaded")
            expect(page.locator("#board")).not_to_have_class("board-stale")


def a_minute_later(page: Page) -> None:
    """The page's own clock, and somebody who comes back to it."""
    page.evaluate("const now = Date.now; Date.now = () => now() + 61_000")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
