"""Pages while they are open: sites fall and rise on them, and whoever reads or types is not disturbed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
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


def test_on_a_phone_a_row_has_all_that_a_wide_one_has(sized, staff) -> None:
    page = staff(sized("little")).opens("/", viewport=PHONE)
    row = page.locator("#groups tbody tr[data-state='up']").first
    expect(row.locator(".sparkline")).to_be_visible()
    cells = row.locator("td")
    for number in range(cells.count()):
        box = cells.nth(number).bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= PHONE["width"]
    headings = [
        cells.nth(n).evaluate("cell => getComputedStyle(cell, '::before').content") for n in (3, 4, 5)
    ]
    assert [heading.split('"')[1].strip() for heading in headings] == ["24 h", "30 d", "90 d"]


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


def test_a_part_of_home_moves_too(watched, staff, web) -> None:
    page = staff(watched).opens("/?group=web&q=site-3")
    page.evaluate("window.notReloaded = true")
    rows = page.locator("#groups tr[data-state]")
    expect(rows).to_have_count(10)
    page.get_by_role("searchbox").focus()
    web.codes[FALLS] = 503
    watched.probe()
    expect(rows.first.locator(".state")).to_have_text("failing")
    watched.probe(2)
    expect(rows.first.locator(".state")).to_have_text("down")
    expect(page.locator("#headline")).to_contain_text("ops@example.org")
    expect(rows).to_have_count(10)
    expect(page).to_have_url(re.compile(r"\?group=web&q=site-3$"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert page.evaluate("window.notReloaded")


def test_where_not_all_sites_fit_the_server_filters_while_one_types(copies, staff, web) -> None:
    with copies("nothing", HOME_ROWS="20") as instance:
        instance.add_sites(**{f"many-{number}": web.url(f"many-{number}") for number in range(1, 41)})
        with serving(instance) as served:
            page = staff(served).opens("/")
            page.evaluate("window.notReloaded = true")
            rows, result = page.locator("#groups tr[data-state]"), page.locator("#board-filter-result")
            page.get_by_role("searchbox").press_sequentially("many-3")
            expect(result).to_contain_text("11 of 40 sites")
            expect(rows).to_have_count(11)
            expect(page).to_have_url(re.compile(r"\?q=many-3$"))
            page.keyboard.type("1")  # goes on where it was left
            expect(rows).to_have_count(1)

            web.codes["many-31"] = 503
            instance.must("probe", "--site", "many-31")
            expect(rows.locator(".state")).to_have_text("failing")
            page.get_by_role("searchbox").fill("")
            expect(result).to_be_empty()
            expect(rows.first.locator(".state")).to_have_text("failing")
            web.codes.clear()
            instance.must("probe", "--site", "many-31")
            expect(page.locator("#groups")).not_to_contain_text("failing")
            assert page.evaluate("window.notReloaded")


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


# --- The pages of a site and of outages ----------------------------------------------------------
@pytest.fixture
def shop(copies, web, mail):
    """An installation with one site, which has been up twice."""
    with copies("nothing", **mail.settings("ops@example.org")) as instance:
        instance.add_sites(shop=web.url("shop"))
        with serving(instance) as served:
            served.probe(2)
            yield served


def test_the_page_of_a_site_follows_it_and_nobody_is_disturbed(shop, staff, web) -> None:
    page = staff(shop).opens("/site/shop/")
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#site-state")).to_have_text("up")
    expect(page.locator("figure[data-chart] canvas").first).to_be_visible()
    page.get_by_label("To", exact=True).fill("2026-03-01T10:00")
    page.get_by_text("The same as a table").click()
    page.get_by_role("button", name="Zoom in").press("Enter")
    part = page.locator(".chart-shown").text_content()
    scrolled = page.evaluate("window.scrollY")

    web.codes["shop"] = 503
    shop.probe(3)
    expect(page.locator("#site-state")).to_have_text("down")
    expect(page.locator("#site-words")).to_contain_text("It is down, since")
    expect(page.locator("#site-results tbody tr")).to_have_count(5)
    expect(page.locator("#site-results tbody tr").first).to_contain_text("HTTP 503")
    expect(page.locator("#site-falls")).to_contain_text("still down")
    expect(page.locator("#site-uptime dd").first).to_contain_text("40.00 %")
    expect(page.locator("#times-summary")).to_contain_text("3 of 5 requests failed")
    expect(page.get_by_label("To", exact=True)).to_have_value("2026-03-01T10:00")
    expect(page.locator("#times-table details")).to_have_attribute("open", "")
    expect(page.get_by_role("button", name="Zoom in")).to_be_focused()
    assert page.locator(".chart-shown").text_content() == part != ""
    assert page.evaluate("window.scrollY") == scrolled

    web.codes.clear()
    shop.probe()
    expect(page.locator("#site-state")).to_have_text("up")
    expect(page.locator("#site-falls")).to_contain_text("came back")
    assert page.evaluate("window.notReloaded")


def test_a_day_of_the_calendar_keeps_the_focus_and_the_arrow_keys(shop, staff, web) -> None:
    page = staff(shop).opens("/site/shop/")
    today = page.locator("[data-calendar] a[tabindex='0']")
    today.focus()
    web.codes["shop"] = 503
    shop.probe()
    expect(page.locator("#site-uptime dd").first).to_contain_text("66.66 %")
    expect(today).to_be_focused()
    expect(today).to_contain_text("66.66 %")
    page.keyboard.press("ArrowLeft")
    expect(today).not_to_contain_text("so far")
    expect(today).to_be_focused()


def test_a_site_that_was_never_asked_gets_its_figures_and_its_chart(copies, staff, web) -> None:
    with copies("nothing") as instance:
        instance.add_sites(shop=web.url("shop"))
        with serving(instance) as served:
            page = staff(served).opens("/site/shop/")
            expect(page.locator("#site-words")).to_contain_text("Not asked yet")
            served.probe(2)
            expect(page.locator("#site-state")).to_have_text("up")
            expect(page.locator("[data-calendar]")).to_be_visible()
            expect(page.locator("figure[data-chart] canvas").first).to_be_visible()


def test_an_outage_opens_and_ends_on_its_page_while_a_note_is_written(shop, staff, web) -> None:
    page = staff(shop).opens("/outage/")
    expect(page.get_by_role("heading", name="No outage")).to_be_visible()
    web.codes["shop"] = 503
    shop.probe(3)
    expect(page.locator("#outage-state")).to_have_text("open")
    page.evaluate("window.notReloaded = true")
    page.get_by_label("Note").press_sequentially("The disk")
    web.codes.clear()
    shop.probe()
    expect(page.locator("#outage-state")).to_have_text("over")
    expect(page.locator("#outage-headline")).to_contain_text("Lasted")
    expect(page.locator("#outage-line")).to_contain_text("The outage was over.")
    expect(page.locator("#outage-falls")).not_to_contain_text("still down")
    page.keyboard.type(" was full")
    expect(page.get_by_label("Note")).to_have_value("The disk was full")
    assert page.evaluate("window.notReloaded")


def test_an_outage_comes_into_the_list_while_its_filters_are_filled_in(shop, staff, web) -> None:
    web.codes["shop"] = 503
    shop.probe(3)
    page = staff(shop).opens("/outages/")
    rows = page.locator("#outages-list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("open")
    page.get_by_label("Name").fill("sho")
    web.codes.clear()
    shop.probe()
    expect(rows.first).not_to_contain_text("open")
    web.codes["shop"] = 503
    shop.probe(3)
    expect(rows).to_have_count(2)
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("sho")


def test_a_fault_of_our_own_is_said_on_an_open_page_and_nothing_stays_green(shop, staff) -> None:
    page = staff(shop).opens("/site/shop/")
    expect(page.locator("#banners .alert")).to_have_count(0)
    shop.instance.settings["SANDBOX_URLS"] = "http://127.0.0.1:1/"
    assert shop.instance.run("probe").returncode == 1
    expect(page.locator("#site-state")).to_have_text("was up")
    expect(page.locator("#site-state")).to_have_class(re.compile("state-unknown"))
    expect(page.locator("#banners .alert")).to_have_count(1)


def test_an_open_page_that_lost_its_server_does_not_stay_green(copies, staff, web) -> None:
    with copies("nothing") as instance:
        instance.add_sites(shop=web.url("shop"))
        instance.must("probe")
        with serving(instance) as served:
            visitor = staff(served)
            visitor.watch.expected.append("Failed to load resource: net::ERR_")
            page = visitor.opens("/site/shop/")
            expect(page.locator("#site-state")).to_have_text("up")
            green = page.locator("#site-state").evaluate("badge => getComputedStyle(badge).color")
        expect(page.get_by_text("Not live")).to_be_visible()
        a_minute_later(page)
        expect(page.locator("#live")).to_have_class("page-stale")
        expect(page.locator("#site-state")).not_to_have_css("color", green)
        with serving(instance):
            web.codes["shop"] = 500
            instance.must("probe")
            expect(page.locator("#site-state")).to_have_text("failing", timeout=40_000)
            expect(page.locator("#live")).not_to_have_class("page-stale")


def a_minute_later(page: Page) -> None:
    """The page's own clock, and somebody who comes back to it."""
    page.evaluate("const now = Date.now; Date.now = () => now() + 61_000")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
