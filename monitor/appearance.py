"""How the state of sites is shown: its word, its style, what stands first, and the sentence over all of them.

Pure: no query and no clock; ``now`` is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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


class Named(Protocol):
    """What the headline says of a site: a Site, or a row of a list of them."""

    @property
    def pk(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """``word`` stands in the badge, ``style`` colours it; a lower ``rank`` is worse and stands first.

    ``key`` is what lists are filtered by. Not ``current``: so it was when it was last asked, and nobody
    knows whether it still is.
    """

    word: str
    style: Style
    rank: int
    key: str
    current: bool = True


DOWN = Look("down", "down", 0, "down")
FAILING = Look("failing", "failing", 1, "failing")
OLD = Look("old", "unknown", 2, "old", current=False)
UNKNOWN = Look("not asked yet", "unknown", 3, "unknown")
UP = Look("up", "up", 4, "up")
PAUSED = Look("paused", "paused", 5, "paused")
LOOKS = {look.key: look for look in (DOWN, FAILING, OLD, UNKNOWN, UP, PAUSED)}

WAS_DOWN = Look("was down", "unknown", 0, "down", current=False)
WAS_FAILING = Look("was failing", "unknown", 1, "failing", current=False)
WAS_UP = Look("was up", "unknown", 4, "up", current=False)
LOOKS_IN_DOUBT = LOOKS | {look.key: look for look in (WAS_DOWN, WAS_FAILING, WAS_UP)}


@dataclass(frozen=True, slots=True)
class Headline:
    html: SafeString
    style: Style


def is_old(last_checked: datetime | None, interval_min: int | None, now: datetime) -> bool:
    """Whether three runs that should have asked the site have gone by; a site never asked is not old."""
    return last_checked is not None and now - last_checked > allowed(interval_min)


def allowed(interval_min: int | None) -> timedelta:
    """How long a state holds without being asked for."""
    return timedelta(minutes=OLD_AFTER_RUNS * max(interval_min or 0, LONGEST_RUN_MIN))


def look_of(site: Site, now: datetime, *, doubt: bool = False) -> Look:
    """The badge of ``site``: grey where nobody has looked lately, whatever the state was then.

    ``doubt``: the last run met a fault of our own or is overdue, so that all states are old news.
    """
    old = is_old(site.last_checked, site.interval_min, now)
    return look_of_state(site.shown_state, old=old, doubt=doubt)


def look_of_state(shown_state: str, *, old: bool, doubt: bool) -> Look:
    """The same from what is known of a site; ``shown_state`` is that of :class:`Site`."""
    if doubt:
        return LOOKS_IN_DOUBT[shown_state]
    return OLD if old and shown_state in JUDGED else LOOKS[shown_state]


JUDGED = frozenset({"up", "failing", "down"})


def up_of(site: Site) -> bool | None:
    """What the last answer said of the site; None: never asked, paused or inconclusive."""
    if not site.enabled or site.state == Site.State.UNKNOWN:
        return None
    return {Verdict.UP.value: True, Verdict.DOWN.value: False}.get(site.last_verdict or 0)


def clock(moment: datetime, now: datetime) -> str:
    """``05:12``, with the day where it is not today's."""
    local, today = timezone.localtime(moment), timezone.localtime(now).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def headline(
    sites: Sequence[tuple[Named, Look]], since: Mapping[int, datetime | None], now: datetime
) -> Headline:
    """One sentence: what is down and since when, or that all is well, as far as we know.

    ``since`` has the moment of every fall that goes on, by the site's key.
    """
    looks = [look for _, look in sites]
    fallen = [site for site, look in sites if look.key == "down"]
    failing = sum(look.key == "failing" for look in looks)
    current = not {WAS_DOWN, WAS_FAILING, WAS_UP} & set(looks)
    if fallen:
        begun = [(since.get(site.pk), site) for site in fallen]
        said = _fallen_sentence(begun, len(sites), now, current=current)
        return Headline(said, "down" if current else "unknown")
    if failing:
        words = _failing_sentence(failing, len(sites), current=current)
        return Headline(format_html("{}", words), "failing" if current else "unknown")
    words = _quiet_sentence(looks, current=current)
    well = UP in looks and OLD not in looks
    return Headline(format_html("{}", words), "up" if well else "unknown")


def _failing_sentence(failing: int, total: int, *, current: bool) -> str:
    if current:
        return f"No site is down; {_of(failing, total, current=True)} failing."
    return f"No site was down when last asked; {_of(failing, total, current=False)} failing."


_QUIET = ((OLD, "not asked lately"), (UNKNOWN, "not asked yet"), (PAUSED, "paused"))


def _quiet_sentence(looks: Sequence[Look], *, current: bool) -> str:
    if set(looks) == {UNKNOWN}:
        return "No site has been asked yet."
    if set(looks) == {PAUSED}:
        return "The one site is paused." if len(looks) == 1 else f"All {len(looks):,} sites are paused."
    up = sum(look.key == "up" for look in looks)
    clauses = [_up_clause(up, len(looks), current=current)]
    clauses += [f"{looks.count(look):,} {words}" for look, words in _QUIET if look in looks]
    return f"{'; '.join(clauses)}."


def _up_clause(up: int, total: int, *, current: bool) -> str:
    if not up:
        return "No site is known to be up"
    which = "All" if up == total else f"{up:,} of"
    sites = "The one site" if total == 1 else f"{which} {total:,} sites"
    if not current:
        return f"{sites} {'was' if up == 1 else 'were'} up when last asked"
    return f"{sites} {'is' if up == 1 else 'are'} up"


def _of(count: int, total: int, *, current: bool) -> str:
    verb = ("is" if current else "was") if count == 1 else ("are" if current else "were")
    return f"{count:,} of {total:,} {'site' if total == 1 else 'sites'} {verb}"


def _fallen_sentence(
    fallen: Sequence[tuple[datetime | None, Named]], total: int, now: datetime, *, current: bool
) -> SafeString:
    longest_first = sorted(fallen, key=lambda pair: (pair[0] or now, pair[1].name))
    named = longest_first[:NAMED_IN_HEADLINE]
    more = len(longest_first) - len(named)
    return format_html(
        "{} down{}: {}{}.",
        _of(len(longest_first), total, current=current),
        "" if current else " when last asked",
        format_html_join(", ", "{}", ((_fallen_clause(site, since, now),) for since, site in named)),
        f" and {more:,} more" if more else "",
    )


def _fallen_clause(site: Named, since: datetime | None, now: datetime) -> SafeString:
    """The name stands apart: its letters may run from right to left, the sentence does not."""
    when = f" since {clock(since, now)}" if since else ""
    return format_html('<a href="{}"><bdi>{}</bdi></a>{}', site_path(site.slug), _short(site.name), when)


def site_path(slug: str) -> str:
    return Site(slug=slug).get_absolute_url()


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 1]}…"
