"""Forms say what is wrong beside the field, and keep what was typed."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import overflow, violations
from tests.browser.conftest import PHONE


def notes_of(page: Page, field: Locator) -> list[str]:
    """What a screen reader reads out with the field, help and errors."""
    ids = (field.get_attribute("aria-describedby") or "").split()
    return [page.locator(f"#{one}").inner_text().strip() for one in ids]


def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(sized, staff) -> None:
    page = staff(sized("little")).opens("/manage/site/add/?group=group-1", viewport=PHONE)
    page.get_by_label("Name", exact=True).fill("A new site")
    url = page.get_by_label("URL")
    url.fill("gopher://old.example/")
    page.get_by_role("button", name="Save").click()
    expect(url).to_have_attribute("aria-invalid", "true")
    expect(url).to_be_focused()
    assert any("http" in note for note in notes_of(page, url)), notes_of(page, url)
    error = page.get_by_text(notes_of(page, url)[-1]).bounding_box()
    box = url.bounding_box()
    assert error is not None
    assert box is not None
    assert 0 <= error["y"] - (box["y"] + box["height"]) < 40  # right below
    expect(page.get_by_label("Name", exact=True)).to_have_value("A new site")
    assert [*violations(page), *filter(None, [overflow(page)])] == []


def test_lines_that_are_refused_stay_to_be_corrected(sized, staff) -> None:
    page = staff(sized("little")).opens("/manage/sites/add/", viewport=PHONE)
    page.locator("textarea").fill("https://good.example/\nno address at all <b>\nhttps://good.example/")
    page.get_by_label(re.compile("new group", re.IGNORECASE)).fill("Pasted")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-counts")).to_contain_text("refused")
    expect(page.locator("textarea")).to_have_value(re.compile("no address at all <b>"))
    assert [*violations(page), *filter(None, [overflow(page)])] == []


def test_an_import_is_previewed(sized, staff, tmp_path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text("group,name,url\nNew,Good,https://good.example/\nNew,Bad,nowhere\n")
    page = staff(sized("little")).opens("/manage/sites/import/", viewport=PHONE)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-counts")).to_contain_text("1 to add")
    expect(page.get_by_role("main")).to_contain_text("nowhere")
    assert [*violations(page), *filter(None, [overflow(page)])] == []


def test_many_are_chosen_by_one_tick_and_deletion_asks_first(sized, staff) -> None:
    page = staff(sized("much")).opens("/manage/sites/")
    page.locator("[data-choose-all]").check()
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"\d+ chosen"))
    page.get_by_role("button", name=re.compile("Delete")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Delete")
    page.set_viewport_size(PHONE)
    assert [*violations(page), *filter(None, [overflow(page)])] == []


def test_a_note_is_written_under_an_outage(sized, staff) -> None:
    page = staff(sized("little")).opens("/outage/1/")
    page.locator("textarea").fill("It was <b>us</b>.")
    page.get_by_role("button", name=re.compile("note", re.IGNORECASE)).click()
    expect(page.get_by_role("main")).to_contain_text("It was <b>us</b>.")
