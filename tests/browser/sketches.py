"""What databases of browser tests and pictures hold: nothing, little, much, a thousand sites, a show.

Pure: tests.browser.filling makes rows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

PASSWORD = "a long password for tests"
AWKWARD = (
    '<script>alert("x")</script><b>bold</b>',
    "\u202egnp.exe \u05d0\u05d1\u05d2 right to left",
    "🦊🚀👩‍👩‍👧‍👦 emoji 漢字",
    "W" * 255,
    "a long name with spaces " * 10,
    "https://name.that.is.an/address?with=query&and=" + "x" * 120,
)


@dataclass(frozen=True)
class Sketch:
    """A site to be: what it is called, how it fares, and how fast it answers."""

    name: str
    fares: str = "up"  # up, failing, down, unknown, paused or old
    ms: float = 80
    fell_ago: timedelta = timedelta(minutes=25)
    # When it was down before: how long ago it fell, and for how long.
    falls: Sequence[tuple[timedelta, timedelta]] = ()


@dataclass(frozen=True)
class Function:
    """One whose calls are timed: its key, how long a call takes, how many of the last day, and whose."""

    key: str
    ms: float = 20
    calls: int = 40
    token: str = "shop"


@dataclass(frozen=True)
class Size:
    """What a database is filled with; ``views`` of the last runs and ``days`` of sums for each site."""

    groups: dict[str, list[Sketch]]
    views: int = 40
    days: int = 0
    outages: int = 0  # old ones, in which sites of all groups take turns
    internal: tuple[str, ...] = ()
    functions: Sequence[Function] = ()
    people: dict[str, bool] = field(default_factory=lambda: {"admin": True, "mia": False})  # name: staff


def little() -> Size:
    falls = ((timedelta(days=6, hours=3), timedelta(minutes=40)),)
    sites = [Sketch("Front page"), Sketch("Basket", "down", falls=falls), Sketch("Blog", "failing")]
    functions = [Function("shop.py-buy", calls=300), Function("shop.py-search", 5, token="other")]
    return Size({"Shop": sites, "Empty": []}, days=10, outages=2, functions=functions)


def much(groups: int = 12, sites: int = 25, views: int = 40, days: int = 1, outages: int = 60) -> Size:
    """Every fate, and the names that hurt most, among many."""
    fates = ["up"] * 9 + ["down", "failing", "unknown", "paused", "old", "up"]
    made: dict[str, list[Sketch]] = {}
    for at in range(groups):
        name = AWKWARD[at // 2 - 1] if at in {2, 4, 6} else f"Group {at + 1}"
        made[name] = [
            Sketch(
                AWKWARD[i] if i < len(AWKWARD) and at < 2 else f"Site {at + 1}.{i + 1}",
                fates[i % 15],
                20 + 9 * i,
            )
            for i in range(sites)
        ]
    functions = [Function(key[:500], token=key[:200]) for key in AWKWARD]
    functions += [Function(f"module_{number:03}.py-work", 1 + number, 3) for number in range(300)]
    return Size(made, views, days, outages, internal=("Group 2",), functions=functions)


def thousand() -> Size:
    return much(groups=20, sites=50, days=0, outages=5)


def show() -> Size:
    """A small company's sites, for pictures."""
    week = timedelta(days=6, hours=5)
    return Size(
        {
            "Shop": [
                Sketch("Front page", ms=92, falls=[(timedelta(days=17, hours=2), timedelta(minutes=11))]),
                Sketch("Basket", "down", 140, timedelta(minutes=18), [(week, timedelta(minutes=47))]),
                Sketch("Search", ms=210, falls=[(week, timedelta(minutes=32))]),
                Sketch("Payment", ms=165),
                Sketch("Pictures", ms=38),
            ],
            "Company": [
                Sketch("Home", ms=64),
                Sketch("Blog", "failing", 118, falls=[(timedelta(days=31), timedelta(hours=3))]),
                Sketch("Careers", ms=71),
                Sketch("Press", "paused", 80),
            ],
            "API": [
                Sketch("Orders", ms=55),
                Sketch("Customers", ms=48, falls=[(timedelta(hours=19), timedelta(minutes=22))]),
                Sketch("Webhooks", ms=83),
            ],
            "Inside": [Sketch("Wiki", ms=132), Sketch("Tickets", ms=190), Sketch("Git", ms=47)],
        },
        views=2 * 24 * 12,
        days=90,
        outages=9,
        internal=("Inside",),
        functions=[
            Function("basket.py-add", 12, 2400),
            Function("basket.py-checkout", 140, 9000),
            Function("mail.py-send_receipt", 310, 400),
            Function("pictures.py-thumbnail", 55, 700, "pictures"),
            Function("search.py-suggest", 3.2, 3000),
            Function("search.py-results", 38, 1500),
            Function("stock.py-nightly_import", 4200, 24, "jobs"),
        ],
    )


SIZES: dict[str, Callable[[], Size]] = {
    "nothing": lambda: Size({}),
    "little": little,
    "much": much,
    "thousand": thousand,
    "show": show,
}
