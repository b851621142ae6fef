"""How the state of sites is shown: its word, its style, what stands first, and the sentence over all of them.

Pure: no query and no clock; ``now`` is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from djamon.lib.durations import roughly
from monitor.models import Site
from monitor.verdicts import Verdict

Style = Literal[
    "down", "failing", "unknown", "up", "paused"
]  # the state-… and text-… classes of the stylesheet

# Outside office hours the calendar asks every five minutes: three runs without an answer and a state is old.
OLD_AFTER_RUNS = 3
LONGEST_RUN_MIN = 5
# The sentence on top names this many sites; the list below it has them all.
NAMED_IN_HEADLINE = 3
NAME_LIMIT = 60  # characters of each name there


@dataclass(frozen=True, slots=True)
class Look:
    """``word`` stands in the badge, ``style`` colours it; a lower ``rank`` is worse and stands first."""

    word: str
    style: Style
    rank: int


DOWN = Look("down", "down", 0)
FAILING = Look("failing", "failing", 1)
OLD = Look("old", "unknown", 2)
UNKNOWN = Look("not asked yet", "unknown", 3)
UP = Look("up", "up", 4)
PAUSED = Look("paused", "paused", 5)
LOOKS = {"down": DOWN, "failing": FAILING, "unknown": UNKNOWN, "up": UP, "paused": PAUSED}


@dataclass(frozen=True, slots=True)
class Headline:
    text: str
    style: Style


def is_old(last_checked: datetime | None, interval_min: int | None, now: datetime) -> bool:
    """Whether three runs that should have asked the site have gone by; a site never asked is not old."""
    allowed_min = OLD_AFTER_RUNS * max(interval_min or 0, LONGEST_RUN_MIN)
    return last_checked is not None and now - last_checked > timedelta(minutes=allowed_min)


def look_of(site: Site, now: datetime) -> Look:
    """The badge of ``site``: grey where nobody has looked lately, whatever the state was then."""
    judged = site.enabled and site.state != Site.State.UNKNOWN
    if judged and is_old(site.last_checked, site.interval_min, now):
        return OLD
    return LOOKS[site.shown_state]


def up_of(site: Site) -> bool | None:
    """What the last answer said of the site; None: never asked, paused or inconclusive."""
    if not site.enabled or site.state == Site.State.UNKNOWN:
        return None
    return {Verdict.UP.value: True, Verdict.DOWN.value: False}.get(site.last_verdict or 0)


def headline(sites: Sequence[Site], now: datetime, *, doubt: bool = False) -> Headline:
    """One sentence: what is down and for how long, or that all is well, as far as we know.

    ``doubt``: the last run met a fault of our own or is overdue, so that good news is old news.
    """
    looks = [look_of(site, now) for site in sites]
    if DOWN in looks:
        fallen = [site for site, look in zip(sites, looks, strict=True) if look is DOWN]
        return Headline(_fallen_sentence(fallen, len(sites), now), "down")
    if failing := looks.count(FAILING):
        return Headline(f"No site is down; {_of(failing, len(sites))} failing.", "failing")
    if set(looks) == {UNKNOWN}:
        return Headline("No site has been asked yet.", "unknown")
    up = looks.count(UP)
    clauses = [_up_clause(up, len(sites), doubt=doubt)]
    clauses += [f"{looks.count(look)} {words}" for look, words in _QUIET if look in looks]
    return Headline(f"{'; '.join(clauses)}.", "up" if up and OLD not in looks and not doubt else "unknown")


_QUIET = ((OLD, "not asked lately"), (UNKNOWN, "not asked yet"), (PAUSED, "paused"))


def _up_clause(up: int, total: int, *, doubt: bool) -> str:
    if not up:
        return "No site is known to be up"
    which = "All" if up == total else f"{up} of"
    sites = "The one site" if total == 1 else f"{which} {total} sites"
    if doubt:
        return f"{sites} {'was' if up == 1 else 'were'} up when last asked"
    return f"{sites} {'is' if up == 1 else 'are'} up"


def _of(count: int, total: int) -> str:
    return f"{count} of {total} {'site' if total == 1 else 'sites'} {'is' if count == 1 else 'are'}"


def _fallen_sentence(fallen: Sequence[Site], total: int, now: datetime) -> str:
    longest_first = sorted(fallen, key=lambda site: site.state_since or now)
    named = [_fallen_clause(site, now) for site in longest_first[:NAMED_IN_HEADLINE]]
    rest = len(longest_first) - len(named)
    tail = f" and {rest} more" if rest else ""
    return f"{_of(len(longest_first), total)} down: {', '.join(named)}{tail}."


def _fallen_clause(site: Site, now: datetime) -> str:
    since = f" (for {roughly((now - site.state_since).total_seconds())})" if site.state_since else ""
    return f"{_short(site.name)}{since}"


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 1]}…"
