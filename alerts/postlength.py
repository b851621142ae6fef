"""How long a post is by X's published weighting, and where it may be cut. Pure.

Source: "Counting characters" in X's developer documentation and twitter-text's configuration v3: the text
in form NFC; an address counts 23; the ranges below count 1; an emoji, whatever it is made of, and every
other character count 2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 280
URL_WEIGHT = 23
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
ELLIPSIS = "…"  # itself weighs 2

# X links bare names too. One without a scheme may be no address at all, so it counts what is more.
_END = r"[^\s<>\"'.,;:!?)\]]"  # a full stop after an address is no part of it
_HOST = rf"(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+[^\W\d_]{{2,}}(?::\d+)?(?:[/?#](?:[^\s<>\"]*{_END})?)?"
_PICTURE = (
    r"[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf"
    r"\u2934-\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f004-\U0001faff]"
)
_DRESS = r"(?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u20e3]|[\U000e0020-\U000e007f])*"
UNITS = re.compile(
    rf"(?P<url>https?://[^\s<>\"]*{_END})|(?P<bare>(?<![\w@.]){_HOST})"
    rf"|(?P<emoji>[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_PICTURE}{_DRESS}(?:\u200d{_PICTURE}{_DRESS})*)"
    r"|(?P<one>.[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d]*)",
    re.DOTALL | re.IGNORECASE,
)


def weight(text: str) -> int:
    """How much of the 280 ``text`` takes up."""
    return sum(heavy for _, heavy in units(text))


def fitted(text: str) -> str:
    """``text`` in form NFC, cut with an ellipsis where it is too long; no address or emoji is cut apart."""
    parts = list(units(text))
    if sum(heavy for _, heavy in parts) <= LONGEST:
        return "".join(part for part, _ in parts)
    room = LONGEST - weight(ELLIPSIS)
    kept = ""
    for part, heavy in parts:
        room -= heavy
        if room < 0:
            break
        kept += part
    return kept.rstrip() + ELLIPSIS


def units(text: str) -> Iterator[tuple[str, int]]:
    """The pieces of ``text`` that stay whole, each with its weight."""
    for found in UNITS.finditer(unicodedata.normalize("NFC", text)):
        part = found.group()
        match found.lastgroup:
            case "url":
                yield part, URL_WEIGHT
            case "bare":
                yield part, max(URL_WEIGHT, _plain(part))
            case "emoji":
                yield part, 2
            case _:
                yield part, _plain(part)


def _plain(text: str) -> int:
    return sum(1 if any(low <= ord(c) <= high for low, high in LIGHT) else 2 for c in text)
