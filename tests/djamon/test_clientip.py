from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory

from djamon.lib.clientip import client_ip

PROXY, SECOND, CLIENT, LIE = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.1"

CASES = {
    # what it is: (trusted proxies, peer, X-Forwarded-For, client)
    "no proxy": ([], CLIENT, "", CLIENT),
    "a client that lies": ([], CLIENT, LIE, CLIENT),
    "a client that lies beside a trusted proxy": ([PROXY], CLIENT, LIE, CLIENT),
    "behind a proxy": ([PROXY], PROXY, CLIENT, CLIENT),
    "a client that lies behind a proxy": ([PROXY], PROXY, f"{LIE}, {CLIENT}", CLIENT),
    "behind two proxies": ([PROXY, SECOND], PROXY, f"{CLIENT}, {SECOND}", CLIENT),
    "a lie behind two proxies": ([PROXY, SECOND], PROXY, f"{LIE}, {CLIENT}, {SECOND}", CLIENT),
    "an unknown proxy between": ([PROXY], PROXY, f"{CLIENT}, {SECOND}", SECOND),
    "a trusted network": (["10.0.0.0/8"], PROXY, f"{CLIENT},{SECOND}", CLIENT),
    "a proxy that says nothing": ([PROXY], PROXY, "", PROXY),
    "a proxy that hides its client": ([PROXY], PROXY, "unknown", PROXY),
    "a lie left of what is hidden": ([PROXY], PROXY, f"{LIE}, unknown", PROXY),
    "the proxy itself": ([PROXY], PROXY, SECOND, SECOND),
    "only proxies": ([PROXY, SECOND], PROXY, SECOND, SECOND),
    "with a port": ([PROXY], PROXY, f"{CLIENT}:55000", CLIENT),
    "ipv6 client": ([PROXY], PROXY, "2001:db8::7", "2001:db8::7"),
    "ipv6 client with a port": ([PROXY], PROXY, "[2001:db8::7]:55000", "2001:db8::7"),
    "ipv6 written at length": ([], "2001:0db8:0:0:0:0:0:7", "", "2001:db8::7"),
    "ipv6 proxy": (["::1"], "::1", CLIENT, CLIENT),
    "ipv4 proxy seen over ipv6": ([PROXY], f"::ffff:{PROXY}", CLIENT, CLIENT),
    "ipv4 network is no ipv6 network": (["0.0.0.0/0"], "2001:db8::7", CLIENT, "2001:db8::7"),
    "a unix socket": ([PROXY], "", CLIENT, ""),
    "empty parts": ([PROXY], PROXY, f" , {CLIENT}", CLIENT),
    "a script": ([PROXY], PROXY, "<script>", PROXY),
}


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "client"), CASES.values(), ids=CASES)
def test_whose_request_it_is(settings, trusted, peer, forwarded, client) -> None:
    settings.TRUSTED_PROXIES = tuple(ipaddress.ip_network(word) for word in trusted)
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_ip(request) == client
