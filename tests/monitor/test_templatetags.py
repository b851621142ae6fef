from __future__ import annotations

import math
import re
from decimal import Decimal

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.functional import lazystr

from monitor.templatetags.number_suffix import ordinal
from monitor.templatetags.readable_time import readable_time

HUGE = 10**5000  # more digits than Python writes

TIMES = {
    "the contract's": (3661, "1 hour, 1 minute, 1 second"),
    "zero": (0, "0 seconds"),
    "one": (1, "1 second"),
    "two": (2, "2 seconds"),
    "minutes alone": (120, "2 minutes"),
    "zero parts are left out": (3601, "1 hour, 1 second"),
    "days": (2 * 86_400 + 60, "2 days, 1 minute"),
    "many days": (86_400 * 400, "400 days"),
    "a fraction": (61.9, "1 minute, 1 second"),
    "less than a second": (0.5, "0 seconds"),
    "minus nothing": (-0.0, "0 seconds"),
    "decimal": (Decimal("61.9"), "1 minute, 1 second"),
    "digits": ("3661", "1 hour, 1 minute, 1 second"),
    "digits with zeros": ("007", "7 seconds"),
    "digits with spaces": (" 3 ", "3 seconds"),
    "lazy digits": (lazystr("60"), "1 minute"),
    "large": (10**12, "11574074 days, 1 hour, 46 minutes, 40 seconds"),
}
TIMES_UNCHANGED = {
    "negative": -1,
    "negative float": -0.5,
    "negative text": "-1",
    "word": "soon",
    "empty": "",
    "none": None,
    "true": True,
    "false": False,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "decimal nan": Decimal("NaN"),
    "decimal infinity": Decimal("Infinity"),
    "text of a float": "1.5",
    "underscores": "1_000",
    "other digits": "٣",
    "superscript": "²",
    "list": [1],
    "huge": HUGE,
    "huge text": "9" * 5000,
    "signalling NaN": Decimal("sNaN"),
}


@pytest.mark.parametrize(("value", "words"), TIMES.values(), ids=TIMES)
def test_readable_time(value, words) -> None:
    assert readable_time(value) == words


@pytest.mark.parametrize("value", TIMES_UNCHANGED.values(), ids=TIMES_UNCHANGED)
def test_readable_time_leaves_unchanged(value) -> None:
    assert readable_time(value) is value


ORDINALS = {
    **{f"{number}": (number, text) for number, text in ((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"))},
    **{f"{number}": (number, f"{number}th") for number in (11, 12, 13, 100, 111, 1011, 1012, 1013)},
    "0": (0, "0th"),
    "21": (21, "21st"),
    "102": (102, "102nd"),
    "text 111": ("111", "111th"),
    "text 1": ("1", "1st"),
    "text 007": ("007", "7th"),
    "text with spaces": (" 3 ", "3rd"),
    "lazy text": (lazystr("22"), "22nd"),
    "large": (10**30 + 1, f"{10**30 + 1}st"),
}
ORDINALS_UNCHANGED = {
    "none": None,
    "float": 3.0,
    "decimal": Decimal(3),
    "negative": -1,
    "negative text": "-1",
    "true": True,
    "false": False,
    "word": "third",
    "empty": "",
    "text of a float": "3.0",
    "underscores": "1_000",
    "other digits": "٣",
    "infinity": math.inf,
    "list": [3],
    "huge": HUGE,
    "huge text": "9" * 5000,
}


@pytest.mark.parametrize(("value", "text"), ORDINALS.values(), ids=ORDINALS)
def test_ordinal(value, text) -> None:
    assert ordinal(value) == text


@pytest.mark.parametrize("value", ORDINALS_UNCHANGED.values(), ids=ORDINALS_UNCHANGED)
def test_ordinal_leaves_unchanged(value) -> None:
    assert ordinal(value) is value


def render(source: str, **context) -> str:
    return Template(source).render(Context(context))


def test_the_filters_work_in_templates() -> None:
    source = "{% load readable_time number_suffix %}{{ a|readable_time }} | {{ b|ordinal }} | {{ c|ordinal }}"
    assert render(source, a=3661, b=3, c="<b>") == "1 hour, 1 minute, 1 second | 3rd | &lt;b&gt;"


def pages(number: int, of: int, address: str = "/", **context) -> str:
    page = Paginator(range(of), 1).page(number)
    request = RequestFactory().get(address)
    return render(
        "{% load paginator %}{% paginate page_obj %}", page_obj=page, **{"request": request} | context
    )


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


SHOWN = {
    "one page": (1, 1, ""),
    "the first of two": (1, 2, "1 2 ›"),
    "the last of two": (2, 2, "‹ 1 2"),
    "few": (3, 5, "‹ 1 2 3 4 5 ›"),
    "the first of many": (1, 100, "1 2 … 100 ›"),
    "in the middle of many": (50, 100, "‹ 1 … 49 50 51 … 100 ›"),
    "the last of many": (100, 100, "‹ 1 … 99 100"),
}


@pytest.mark.parametrize(("number", "of", "shown"), SHOWN.values(), ids=SHOWN)
def test_paginate_shows(number, of, shown) -> None:
    assert words(pages(number, of)) == shown


QUERIES = {
    "none": ("/", "page=2"),
    "another parameter": ("/?state=down", "state=down&amp;page=2"),
    "a repeated parameter": ("/?g=a&g=b", "g=a&amp;g=b&amp;page=2"),
    "the page itself": ("/?page=1&g=a", "page=2&amp;g=a"),
    "the page twice": ("/?page=1&page=7", "page=2"),
    "signs": ("/?q=a%26b%3D%22%3E", "q=a%26b%3D%22%3E&amp;page=2"),
}


@pytest.mark.parametrize(("address", "query"), QUERIES.values(), ids=QUERIES)
def test_paginate_keeps_the_query(address, query) -> None:
    assert f'href="?{query}" aria-label="Page 2"' in pages(1, 3, address)


def test_paginate_tells_where_one_is() -> None:
    html = pages(2, 3)
    assert html.count('aria-current="page"') == 1
    assert 'href="?page=2" aria-current="page" aria-label="Page 2, this page"' in html
    assert '<nav aria-label="Pages">' in html
    assert 'rel="prev" href="?page=1" aria-label="Previous page"' in html
    assert 'rel="next" href="?page=3" aria-label="Next page"' in html


def test_paginate_works_without_a_request() -> None:
    assert 'href="?page=2"' in pages(1, 2, request=None)
