"""The page of a site: a range is chosen, drawn, read as a table, zoomed by keyboard, and saved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE


@pytest.fixture
def page(sized, staff):
    opened = staff(sized("little")).opens("/site/site-1-2/")
    expect(opened.locator("figure[data-chart] canvas").first).to_be_visible()
    return opened


def test_a_range_is_chosen_by_a_link_and_drawn(page) -> None:
    page.get_by_role("link", name="last week", exact=True).click()
    expect(page).to_have_url(re.compile(r"range=7d"))
    expect(page.locator("figure[data-chart] canvas").first).to_be_visible()
    expect(page.get_by_role("link", name="last week", exact=True)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("heading", name=re.compile("Response time, last week"))).to_be_visible()


def test_a_range_of_ones_own_that_ends_before_it_begins_is_refused_beside_its_field(page) -> None:
    page.get_by_label(re.compile("^From")).fill("2026-03-02T10:00")
    page.get_by_label("To", exact=True).fill("2026-03-01T10:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#range-refused")).to_be_visible()
    expect(page.get_by_label(re.compile("^From"))).to_have_value("2026-03-02T10:00")


def test_the_same_figures_stand_in_a_table(page) -> None:
    summary = page.get_by_text("The same as a table")
    summary.focus()
    page.keyboard.press("Enter")
    table = page.locator("details[open] table")
    expect(table).to_be_visible()
    expect(table.get_by_role("columnheader").first).to_be_visible()
    assert table.get_by_role("row").count() > 10


def test_the_chart_is_zoomed_by_keyboard_and_says_what_it_shows(page) -> None:
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("Enter")
    said = page.locator("figure[data-chart] [role=status]")
    expect(said).to_have_text(re.compile("^Shown: .+ to .+"))
    page.get_by_role("button", name="Show the whole range").press("Enter")


@pytest.mark.parametrize(("button", "begins"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_the_chart_is_saved_as_a_picture(button, begins, page) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Save as a {button}").or_(
            page.get_by_role("button", name=f"Save as an {button}")
        ).click()
    assert waiting.value.suggested_filename.startswith("site-1-2-")
    assert waiting.value.suggested_filename.endswith(f".{button.lower()}")
    saved = Path(waiting.value.path()).read_bytes()
    assert saved.startswith(begins)
    assert len(saved) > 2000


def saved_svg(page) -> tuple[str, list[str]]:
    """Its name, and the texts in it."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as an SVG").click()
    svg = Path(waiting.value.path()).read_text()
    return waiting.value.suggested_filename, re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_a_picture_of_a_part_names_that_part_and_its_times(page) -> None:
    page.goto("/site/site-1-2/?range=7d")
    expect(page.locator("figure[data-chart] canvas").first).to_be_visible()
    whole_name, whole = saved_svg(page)
    assert re.fullmatch(r"site-1-2-[\d-]{10}-[\d-]{10}\.svg", whole_name)
    assert "Response time of Basket, last week" in whole
    for name in ("Zoom in", "Zoom in", "Later"):
        page.get_by_role("button", name=name).click()
    part_name, part = saved_svg(page)
    assert re.fullmatch(r"site-1-2-[\d-]{10}T\d{4}-[\d-]{10}T\d{4}\.svg", part_name)
    assert any(
        re.fullmatch(r"Response time of Basket, [\d-]{10} [\d:]{5} to [\d-]{10} [\d:]{5}", text)
        for text in part
    )
    assert "Part of: last week" in part
    assert not any("failed" in text for text in part)
    ticks = [text for text in part if re.fullmatch(r"\d\d:\d\d|\d+ \w{3}", text)]
    assert "12:00" in ticks
    days = [tick for tick in ticks if ":" not in tick]
    assert days
    assert len(days) == len(set(days))


def test_on_paper_stand_chart_and_tables_without_what_is_clicked(page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("button", name="Save as an SVG")).to_be_hidden()
    expect(page.locator("figure[data-chart] canvas").first).to_be_visible()
    expect(page.get_by_role("region", name="Table of results")).to_be_visible()
    expect(page.locator("body")).to_have_css("color", "rgb(33, 37, 41)")


def test_the_chart_follows_the_colours_of_the_page(page) -> None:
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name=re.compile("^Theme")).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_on_a_phone_the_chart_fits(page) -> None:
    page.set_viewport_size(PHONE)
    box = page.locator("figure[data-chart]").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_last_weeks_outage_is_found_with_its_reason_and_who_was_told(page) -> None:
    page.goto("/outages/?site=Basket")
    page.locator("table.outages tbody a").last.click()
    expect(page.get_by_role("heading", name=re.compile(r"^Outage \d+"))).to_be_visible()
    main = page.get_by_role("main")
    expect(main).to_contain_text("ops@example.org")
    expect(main).to_contain_text("boss@example.org")
    expect(main).to_contain_text(re.compile("connection refused|HTTP 5|no answer"))
    expect(main).to_contain_text("451 4.7.1 try again later")
