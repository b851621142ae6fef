"""URLs as people write them, and what is asked for them."""

from __future__ import annotations

import pytest

from monitor.probe.urls import Malformed, Place, take_apart


@pytest.mark.parametrize(
    ("written", "wire", "host", "port", "literal"),
    [
        ("http://a.example", "http://a.example/", "a.example", 80, False),
        ("https://A.Example:443/", "https://a.example/", "a.example", 443, False),
        ("HTTP://a.example:8080/x", "http://a.example:8080/x", "a.example", 8080, False),
        ("http://a.example./x", "http://a.example/x", "a.example", 80, False),
        ("http://a.example/x?q=1#part", "http://a.example/x?q=1", "a.example", 80, False),
        ("http://a.example/a/../b//c", "http://a.example/a/../b//c", "a.example", 80, False),
        ("http://a.example/ü?ö=%20", "http://a.example/%C3%BC?%C3%B6=%20", "a.example", 80, False),
        ("http://a.example?q", "http://a.example/?q", "a.example", 80, False),
        ("http://straße.example/", "http://xn--strae-oqa.example/", "xn--strae-oqa.example", 80, False),
        ("http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/", "xn--r8jz45g.xn--zckzah", 80, False),
        ("http://my_host-/", "http://my_host-/", "my_host-", 80, False),
        ("http://127.0.0.1:81/", "http://127.0.0.1:81/", "127.0.0.1", 81, True),
        ("http://127.1/", "http://127.0.0.1/", "127.0.0.1", 80, True),
        ("http://0x7f000001/", "http://127.0.0.1/", "127.0.0.1", 80, True),
        ("http://[::1]:81/", "http://[::1]:81/", "::1", 81, True),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]/", "2001:db8::1", 443, True),
    ],
)
def test_url_is_taken_apart(written: str, wire: str, host: str, port: int, literal: bool) -> None:
    assert take_apart(written) == Place(wire, host, port, wire.startswith("https"), literal)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "it starts with neither http:// nor https://"),
        ("a.example", "it starts with neither http:// nor https://"),
        ("ftp://a.example/", "it starts with neither http:// nor https://"),
        ("file:///etc/passwd", "it starts with neither http:// nor https://"),
        ("http://", "it names no host"),
        ("http:///x", "it names no host"),
        ("http://a.example/a b", "it has white space or control characters"),
        ("http://a.example/\n", "it has white space or control characters"),
        ("http://me:secret@a.example/", "it has a user name or password"),
        ("http://a.example:0/", "port 0 cannot be asked"),
        ("http://a.example:65536/", "Port out of range 0-65535"),
        ("http://a.example:x/", "Port could not be cast to integer value as 'x'"),
        ("http://a..example/", "'a..example' is no host name"),
        ("http://-ex%61mple/", "'-ex%61mple' is no host name"),
        (f"http://{'a' * 64}.example/", f"'{'a' * 64}.example' is no host name"),
        ("http://-a.example/", "'-a.example' is no host name"),
        ("http://a\\b/", "'a\\\\b' is no host name"),
        ("http://./", "'.' is no host name"),
        ("http://\u2603\u200d.example/", "'\u2603\\u200d.example' is no host name"),
        ("http://1.2.3.4.5/", "'1.2.3.4.5' is no address"),
        ("http://a.256/", "'a.256' is no address"),
        ("http://[::1/", "Invalid IPv6 URL"),
        ("http://[::1]x:81/", "beside the brackets of an IPv6 address there is more than a port"),
        ("http://x[::1]:81/", "beside the brackets of an IPv6 address there is more than a port"),
        ("http://shop.example[::1]/", "beside the brackets of an IPv6 address there is more than a port"),
        ("http://[::g]/", "'::g' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_malformed_url_says_why(written: str, why: str) -> None:
    assert take_apart(written) == Malformed(f"malformed URL: {why}")


def test_lone_surrogate_is_malformed() -> None:
    assert take_apart("http://a.example/\ud800") == Malformed("malformed URL: it has half of a character")
