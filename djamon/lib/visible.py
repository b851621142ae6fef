"""What others wrote, so that it can be seen: names in pages, mails and posts. Pure."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """Without characters that cannot be seen, or that turn the direction of what follows."""
    return "".join("�" if unicodedata.category(each).startswith("C") else each for each in text)
