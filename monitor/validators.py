"""What a site may carry: the same rules for forms, CSV files, the admin and pasted lines."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from monitor.probe.urls import Malformed, take_apart

MAX_URL = 2000
# Control characters, halves of a surrogate pair, line and paragraph separators: they break lines and logs.
REFUSED_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}
# Left-to-right, right-to-left and first-strong isolate, and what ends each of them.
ISOLATES, END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"


def validate_name(value: str) -> None:
    """A name of one line that shows at least one character; any script, emoji and markup are welcome."""
    kinds = [unicodedata.category(character) for character in value]
    if REFUSED_IN_NAMES.intersection(kinds):
        raise ValidationError("A name has no line breaks or control characters.")
    if not any(kind[0] not in "ZC" for kind in kinds):
        raise ValidationError("A name needs at least one visible character.")
    if not _closes_its_isolates(value):
        raise ValidationError(
            "A name closes the marks of writing direction that it opens (U+2066 to U+2069)."
        )


def _closes_its_isolates(value: str) -> bool:
    """Otherwise the mark that a page sets after the name would close the name's own, and the name's direction
    would go on through the sentence; every other mark ends with the page's.
    """
    depth = 0
    for character in value:
        depth += (character in ISOLATES) - (character == END_OF_ISOLATE)
        if depth < 0:
            return False
    return depth == 0


def validate_url(value: str) -> None:
    """An absolute http(s) address with a host, without white space, credentials or control characters."""
    if len(value) > MAX_URL:
        raise ValidationError(f"The URL has {len(value)} characters; {MAX_URL} are the most.")
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValidationError("A URL has no spaces or control characters.")
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ValidationError(f"Not a URL: {error}.") from error
    if parts.scheme not in {"http", "https"}:
        raise ValidationError("The URL starts with neither http:// nor https://.")
    if not host:
        raise ValidationError("The URL names no host.")
    if port == 0:
        raise ValidationError("Port 0 cannot be asked.")
    if "@" in parts.netloc:
        raise ValidationError("A URL with a user name or password would show it to everybody; leave it out.")
    if isinstance(place := take_apart(value), Malformed):  # the engine's own word on what is left
        raise ValidationError(f"It cannot be asked: {place.reason}.")


def parse_good_codes(value: str) -> frozenset[int]:
    """``"200, 301"`` → ``{200, 301}``; empty → the empty set. Raises ValidationError naming the bad words."""
    words = [word.strip() for word in value.split(",") if word.strip()]
    bad = [repr(word) for word in words if not re.fullmatch(r"[1-5]\d\d", word)]
    if bad:
        are = "is not an HTTP status code" if len(bad) == 1 else "are not HTTP status codes"
        raise ValidationError(f"{', '.join(bad)} {are} (100 to 599).")
    return frozenset(map(int, words))


def validate_good_codes(value: str) -> None:
    parse_good_codes(value)
