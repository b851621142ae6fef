"""Who lives where: addresses, names and kinds of the sites, for both sides of the link. Pure."""

from __future__ import annotations

from dataclasses import dataclass

NEAR, FAR = "uplink", "far"  # the two ends of the link
SITES = 20
SANDBOX = 200
HERE = ("10.77.0.1/16", "fd77::ffff/64")
FIRST = "10.77.0.2"
NAME_SERVERS = ("10.77.3.1", "fd77::3:1")
UNROUTABLE = ("192.0.2.1", "2001:db8::1")  # of the documentation: no network of ours has a way to them


@dataclass(frozen=True)
class Kind:
    """How a site is reached."""

    families: tuple[str, ...]
    named: bool = False
    https: bool = False


KINDS = (
    Kind(("v4",)),
    Kind(("v4",), named=True),
    Kind(("v4", "v6"), named=True),
    Kind(("v6",)),
    Kind(("v4",), https=True),
)


def kind(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def v4(number: int) -> str:
    return f"10.77.1.{number + 1}"


def v6(number: int) -> str:
    return f"fd77::1:{number + 1:x}"


ADDRESS = {"v4": v4, "v6": v6}


def url(number: int) -> str:
    one = kind(number)
    if one.named:
        return f"http://s{number}.example/"
    if one.families == ("v6",):
        return f"http://[{v6(number)}]/"
    return f"{'https' if one.https else 'http'}://{v4(number)}/"


SANDBOX_URLS = (f"http://{v4(SANDBOX)}/", f"http://[{v6(SANDBOX)}]/", f"http://s{SANDBOX}.example/")


# --- Faults of sites -----------------------------------------------------------------------------
PLAIN_FAULTS = (
    "503",
    "404",
    "302",
    "999",
    "silent",
    "drips",
    "closes",
    "closes in the headers",
    "resets",
    "garbage",
    "HTTP/0.9",
    "large headers",
    "1xx for ever",
    "refuses",
    "vanished",
)
NAME_FAULTS = ("name unknown", "name fails", "name silent", "name garbled")
TLS_FAULTS = ("expired", "other name", "unknown authority", "self-signed")


def faults_of(number: int) -> tuple[str, ...]:
    """What may happen to this site."""
    one = kind(number)
    return PLAIN_FAULTS + (NAME_FAULTS if one.named else ()) + (TLS_FAULTS if one.https else ())
