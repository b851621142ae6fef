"""X's weighting of characters, and where a post is cut."""

import pytest

from alerts.postlength import LONGEST, fitted, weight

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
LONG_URL = "https://status.example.org/outage/12?" + "x" * 200


@pytest.mark.parametrize(
    ("text", "heavy"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("Shop is down", 12, id="latin"),
        pytest.param("Größe", 5, id="umlauts"),
        pytest.param("Gro\u0308ße", 5, id="decomposed-counts-as-composed"),
        pytest.param("привет", 6, id="cyrillic"),
        pytest.param("店が落ちた", 10, id="japanese-twice"),
        pytest.param("“a” – b", 7, id="quotes-and-dashes-once"),
        pytest.param("…", 2, id="ellipsis-twice"),
        pytest.param("🔥", 2, id="emoji"),
        pytest.param("👍🏽", 2, id="emoji-with-skin-tone"),
        pytest.param(FAMILY, 2, id="emoji-of-seven-characters"),
        pytest.param("🇬🇧", 2, id="flag"),
        pytest.param("1️⃣", 2, id="keycap"),
        pytest.param("http://a.example/", 23, id="short-address"),
        pytest.param(LONG_URL, 23, id="long-address"),
        pytest.param("see http://a.example/.", 4 + 23 + 1, id="full-stop-is-no-part-of-it"),
        pytest.param("bbc.co", 23, id="bare-name-is-linked-too"),
        pytest.param("e.g. it", 7, id="abbreviation-is-no-name"),
        pytest.param("2.50 s", 6, id="number-is-no-name"),
    ],
)
def test_weight(text: str, heavy: int) -> None:
    assert weight(text) == heavy


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param("a" * 280, "a" * 280, id="just-fits"),
        pytest.param("a" * 281, "a" * 278 + "…", id="one-too-long"),
        pytest.param("店" * 141, "店" * 139 + "…", id="japanese"),
        pytest.param("a" * 270 + " " + LONG_URL + " b", "a" * 270 + "…", id="address-goes-as-a-whole"),
        pytest.param("a" * 277 + FAMILY + "bc", "a" * 277 + "…", id="emoji-goes-as-a-whole"),
        pytest.param("a" * 276 + FAMILY + "bbb", "a" * 276 + FAMILY + "…", id="emoji-stays-as-a-whole"),
        pytest.param("a" * 277 + " bcd", "a" * 277 + "…", id="no-space-before-the-ellipsis"),
        pytest.param("x " + LONG_URL, "x " + LONG_URL, id="long-address-is-not-cut"),
        pytest.param("", "", id="empty"),
    ],
)
def test_fitted(text: str, cut: str) -> None:
    assert fitted(text) == cut
    assert weight(fitted(text)) <= LONGEST


def test_a_hostile_text_is_cut_quickly() -> None:
    assert weight(fitted("a-." * 20_000)) <= LONGEST
