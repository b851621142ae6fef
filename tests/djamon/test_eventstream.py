from __future__ import annotations

import gzip
import zlib

import pytest

from djamon.lib.eventstream import COMMENT, GzipWire, Payload, PlainWire, message, retry, wire_for

MESSAGES = [
    # data, event, mark, what is sent
    ("hello", "", "", b"data: hello\n\n"),
    ("", "", "", b"data: \n\n"),
    ("two\nlines", "", "", b"data: two\ndata: lines\n\n"),
    ("a\r\nb\rc", "", "", b"data: a\ndata: b\ndata: c\n\n"),
    ("one\u2028line", "", "", "data: one\u2028line\n\n".encode()),
    ("{}", "board", "a1", b"event: board\nid: a1\ndata: {}\n\n"),
]


@pytest.mark.parametrize(
    ("data", "event", "mark", "sent"), MESSAGES, ids=[repr(case[0]) for case in MESSAGES]
)
def test_a_message_on_the_wire(data, event, mark, sent) -> None:
    assert message(data, event=event, mark=mark) == sent


@pytest.mark.parametrize("broken", ["a\nb", "a\rb", "a\0b"])
def test_a_name_or_mark_that_would_break_the_message_is_refused(broken) -> None:
    with pytest.raises(ValueError, match="line break"):
        message("x", event=broken)
    with pytest.raises(ValueError, match="line break"):
        message("x", mark=broken)


def test_what_is_sent_without_anything_to_tell() -> None:
    assert (retry(2000), COMMENT.plain) == (b"retry: 2000\n\n", b":\n\n")


OFFERS = [
    ("", PlainWire),
    ("identity", PlainWire),
    ("gzip, deflate, br, zstd", GzipWire),
    ("br;q=1, GZIP;q=0.5", GzipWire),
    ("gzip;q=0", PlainWire),
    ("gzip; q=0.000, br", PlainWire),
    ("gzip;q=0.1", GzipWire),
    ("notgzip", PlainWire),
]


@pytest.mark.parametrize(("offer", "kind"), OFFERS, ids=[offer or "nothing" for offer, _ in OFFERS])
def test_who_reads_gzip_gets_it(offer, kind) -> None:
    assert isinstance(wire_for(offer), kind)


def payloads() -> list[Payload]:
    return [Payload(message(f"{number} " * 1000)) for number in range(5)]


def test_every_message_can_be_read_as_soon_as_it_has_come() -> None:
    wire, reader = GzipWire(), zlib.decompressobj(wbits=31)
    assert reader.decompress(wire.first()) == b""
    for payload in payloads():
        assert reader.decompress(wire.next(payload)) == payload.plain


def test_who_comes_later_reads_the_same_pieces() -> None:
    shared = payloads()
    early, late = GzipWire(), GzipWire()
    whole = early.first() + b"".join(map(early.next, shared)) + early.last()
    rest = late.first() + b"".join(map(late.next, shared[2:])) + late.last()
    assert gzip.decompress(whole) == b"".join(payload.plain for payload in shared)
    assert gzip.decompress(rest) == b"".join(payload.plain for payload in shared[2:])


def test_a_message_is_compressed_once() -> None:
    payload = Payload(b"x" * 1000)
    assert GzipWire().next(payload) is GzipWire().next(payload)


def test_who_reads_no_gzip_reads_the_bytes_as_they_are() -> None:
    wire, payload = PlainWire(), Payload(b"data: x\n\n")
    assert (wire.first(), wire.next(payload), wire.last(), wire.encoding) == (b"", payload.plain, b"", "")
