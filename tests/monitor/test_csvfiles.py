"""CSV of sites: what is taken, what is refused with its line and reason, and that nothing is lost."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import csvfiles
from monitor.csvfiles import COLUMNS, MAX_BYTES, decode, parse
from monitor.errors import BadFile
from monitor.models import Group, Site

HEADER = "group,name,url\n"


def refusals(text: str) -> list[str]:
    return [str(refusal) for refusal in parse(text).refusals]


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        pytest.param("g,n,http:/x", "line 2: url “http:/x”: The URL names no host.", id="url-without-host"),
        pytest.param(
            "g,n,ftp://x/",
            "line 2: url “ftp://x/”: The URL starts with neither http:// nor https://.",
            id="ftp",
        ),
        pytest.param("g,n", "line 2: 2 columns, but the header has 3", id="too-few-columns"),
        pytest.param("g,n,http://x/,", "line 2: 4 columns, but the header has 3", id="too-many-columns"),
        pytest.param(",n,http://x/", "line 2: group: This field cannot be blank.", id="no-group"),
        pytest.param("g, ,http://x/", "line 2: name: This field cannot be blank.", id="no-name"),
        pytest.param(
            '"g\n2",n,http://x/',
            r"line 2: group “g\n2”: A name has no line breaks or control characters.",
            id="line",
        ),
        pytest.param(
            "g,n\x00,http://x/",
            r"line 2: name “n\x00”: A name has no line breaks or control characters.",
            id="nul",
        ),
        pytest.param(
            "g,\u200b,http://x/",
            r"line 2: name “\u200b”: A name needs at least one visible character.",
            id="bare",
        ),
        pytest.param('g,n,"http://x/', "line 2: a quote is opened and never closed", id="open-quote"),
        pytest.param('g,"n"x,http://x/', "line 2: not CSV: ',' expected after '\"'", id="quote-in-a-cell"),
    ],
)
def test_a_bad_row_is_refused_with_line_and_reason(row: str, refusal: str) -> None:
    assert refusals(HEADER + row) == [refusal]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("interval_min", "0", "Ensure this value is greater than or equal to 1."),
        ("interval_min", "1441", "Ensure this value is less than or equal to 1440."),
        ("interval_min", "often", "“often” value must be an integer."),
        ("good_codes", "200;301", "'200;301' is not an HTTP status code (100 to 599)."),
        ("get_fallback", "perhaps", "Neither yes nor no."),
        ("enabled", "2", "Neither yes nor no."),
        ("internal", "x", "Neither yes nor no."),
    ],
)
def test_optional_columns_are_checked_too(column: str, cell: str, reason: str) -> None:
    assert refusals(f"group,name,url,{column}\ng,n,http://x/,{cell}\n") == [
        f"line 2: {column} “{cell}”: {reason}"
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("group,name\n", "line 1: the header has no column url", id="missing"),
        pytest.param("group,name,url,colour\n", "line 1: unknown column 'colour'", id="unknown"),
        pytest.param("group:name:url\n", "line 1: unknown column 'group:name:url'", id="colons"),
        pytest.param("group,name,url,name\n", "line 1: the column name stands there twice", id="twice"),
        pytest.param('"group,name,url\n', "line 1: a quote is opened and never closed", id="open-quote"),
        pytest.param("\n\n\n", "line 1: the header has no column group", id="only-empty-lines"),
    ],
)
def test_a_header_that_cannot_be_understood_stops_all(header: str, message: str) -> None:
    with pytest.raises(BadFile) as failure:
        parse(header)
    assert str(failure.value).startswith(message)


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = 'group,name,url\r\n"a\r\nb",n,http://x/\r\n\r\ng,n,nothing\r\ng,m,http://x/\r\n'
    assert [refusal.line for refusal in parse(text).refusals] == [2, 5]
    assert [entry.line for entry in parse(text).entries] == [6]


def test_the_second_of_two_equal_names_in_a_group_is_refused() -> None:
    parsed = parse(HEADER + "g,n,http://x/\ng,n,http://y/\nh,n,http://y/\n")
    assert [str(refusal) for refusal in parsed.refusals] == [
        "line 3: name “n”: stands in this group on line 2 already"
    ]
    assert [entry.key for entry in parsed.entries] == [("g", "n"), ("h", "n")]


def test_empty_cells_mean_the_defaults_and_flags_have_many_words() -> None:
    text = 'Group, NAME ,url,interval_min,good_codes,get_fallback,enabled,internal\n g ,n,http://x/,,,,,\ng,m,http://x/,5,"200,404",YES,off,1\n'
    first, second = parse(text).entries
    assert first.values | {"url": ""} == {
        "name": "n",
        "url": "",
        "interval_min": None,
        "good_codes": "",
        "get_fallback": False,
        "enabled": True,
    }
    assert (first.internal, second.internal) == (False, True)
    assert (second.values["interval_min"], second.values["good_codes"]) == (5, "200,404")
    assert (second.values["get_fallback"], second.values["enabled"]) == (True, False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n", "the file is empty", id="only-a-mark"),
        pytest.param(b"group,name,url\ng,caf\xe9,http://x/", "line 2: the file is not UTF-8", id="latin-1"),
        pytest.param("group".encode("utf-16")[:-1], "line 1: the file is not UTF-16", id="half-of-utf-16"),
        pytest.param(b"x" * (MAX_BYTES + 1), "the file is larger than 10 MB; split it", id="too-large"),
    ],
)
def test_a_file_that_is_no_text_is_one_line(data: bytes, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        decode(data)


@pytest.mark.parametrize(
    ("separator", "codes"),
    [
        pytest.param(",", '"200, 301"', id="commas"),
        pytest.param(";", "200, 301", id="semicolons"),
        pytest.param("\t", "200, 301", id="tabs"),
    ],
)
def test_the_header_says_what_stands_between_the_cells(separator: str, codes: str) -> None:
    rows = [
        ["group", "name", "url", "good_codes"],
        ["g", "a" if separator == "," else "a, b", "http://x/", codes],
    ]
    text = "\r\n" + "\r\n".join(separator.join(row) for row in rows)
    (entry,) = parse(text).entries
    assert (entry.values["url"], entry.values["good_codes"]) == ("http://x/", "200, 301")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_file_is_unicode_of_either_width(encoding: str) -> None:
    name = encoding.removesuffix("-bom")
    mark = "" if name == encoding else "\ufeff"
    assert decode(f"{mark}{HEADER}g,n,http://xé/".encode(name)) == f"{HEADER}g,n,http://xé/"


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert parse(decode(b"\xef\xbb\xbf" + HEADER.encode() + b"g,n,http://x/")).refusals == []


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@cell", 'a "b", c', "<b>&amp;</b>", "🚀", "مرحبا", "x" * 255]
)
def test_names_come_back_as_they_were(name: str) -> None:
    site = Site(
        group=Group(name=name, internal=True), name=name, url="http://x/?a=1,2", good_codes="200, 404"
    )
    (entry,) = parse(written(site)).entries
    assert entry.key == (name, name)
    assert (entry.values["good_codes"], entry.values["enabled"], entry.internal) == ("200, 404", True, True)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    parsed = parse(HEADER + text)
    assert all(refusal.line >= 2 for refusal in parsed.refusals)
    assert all(entry.values["url"].startswith("http") for entry in parsed.entries)


def test_all_columns_are_written() -> None:
    site = Site(group=Group(name="g"), name="n", url="http://x/", interval_min=5, enabled=False)
    assert written(site).splitlines() == [",".join(COLUMNS), "g,n,http://x/,5,,no,no,no"]


def written(site: Site) -> str:
    out = io.StringIO()
    assert csvfiles.write([site], out) == 1
    return out.getvalue()
