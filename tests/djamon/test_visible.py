"""What is shown of names that others chose."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from djamon.lib.visible import visible

SHOWN = {
    "plain": ("shop.py-buy é漢🙂", "shop.py-buy é漢🙂"),
    "reversed": ("\u202eevil", "�evil"),
    "isolates": ("a\u2066b\u2069", "a�b�"),
    "line ends": ("new\r\nline", "new��line"),
    "control": ("\x1b[31m\x7f", "�[31m�"),
    "zero width": ("shop\u200b.py", "shop�.py"),
    "written from right to left": ("שלום", "שלום"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_what_cannot_be_seen_is_marked(text, shown) -> None:
    assert visible(text) == shown
    assert Template("{% load words %}{{ text|visible }}").render(Context({"text": text})) == shown
