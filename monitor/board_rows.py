"""The HTML of home's rows, heads and frames, as quick as Python can: there may be 2,000 rows.

Pure: no query, no clock; of ``now`` and ``day`` only the date counts. Whatever people typed is escaped here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from string import digits, whitespace
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from djamon.lib.charts import MOST_BARS, Style, bars, bars_in_words, sparkline
from djamon.lib.words import milliseconds
from monitor.appearance import Look, clock
from monitor.models import Group
from monitor.queries import BoardDetails, BoardSite
from monitor.uptime import Figures, Uptime, in_words

CERTIFICATE_SOON_DAYS = 14
SEARCHED_URL = 200  # characters of an address that the browser searches in
COLUMNS = 7
FEW_RESULTS = 100  # of fewer, one is more than a hundredth
WELL_SEEN = 0.99

BAR_STYLES: dict[str, Style] = {"u": "up", "d": "down", "i": "unknown"}
ONLY_LETTERS = str.maketrans("", "", digits + whitespace + "-")
HEADINGS = (
    '<thead><tr><th scope="col">State</th><th scope="col">Site</th>'
    f'<th scope="col">Last {MOST_BARS} results</th><th scope="col">Response time</th>'
    '<th scope="col"><abbr title="Uptime of the last 24 hours">24 h</abbr></th>'
    '<th scope="col"><abbr title="Uptime of the last 30 days">30 days</abbr></th>'
    '<th scope="col"><abbr title="Uptime of the last 90 days">90 days</abbr></th></tr></thead>'
)
OLD = ' class="old"'


class Placed(NamedTuple):
    """A site with the look that it has now."""

    site: BoardSite
    look: Look


# A thousand bytes a row. Between two runs nothing changes, and whoever opens the page finds all of them here.
@lru_cache(maxsize=5000)
def row(placed: Placed, details: BoardDetails, figures: Figures | None, day: datetime) -> str:
    """One site: a table row with the id ``site-<pk>``; ``day``: any moment of today, always the same."""
    site, look = placed
    name, path = escape(site.name), _path(site.slug)
    searched = escape(f"{site.name} {site.url[:SEARCHED_URL]}".lower())
    return (
        f'<tr id="site-{site.pk}"{"" if look.current else OLD}'
        f' data-state="{look.key}" data-search="{searched}">'
        f'<td><span class="state state-{look.style}">{look.word}</span></td>'
        f'<th scope="row"><a class="clamped" href="{path}"><bdi>{name}</bdi></a>'
        f"{_note(placed, details, day)}</th>"
        f"{_history(details, path)}{_uptimes(figures)}</tr>"
    )


def _path(slug: str) -> str:
    # A reverse for each row takes longer than all else in it.
    before, after = _around_slug()
    return f"{before}{slug}{after}"


@lru_cache(maxsize=1)
def _around_slug() -> tuple[str, str]:
    before, _, after = reverse("site", args=["0"]).rpartition("0")
    return before, after


def _note(placed: Placed, details: BoardDetails, now: datetime) -> str:
    """Why it is not up, since when; and a certificate that ends soon."""
    site, look = placed
    notes = []
    if look.key != "up" and site.enabled and site.state in ("down", "failing"):
        since = f"since {clock(details.state_since, now)}: " if details.state_since else ""
        notes.append(f"{since}{escape(details.last_reason)}")
    ends = details.certificate_ends
    if ends and (words := certificate_in_words(ends, now)):
        notes.append(f'<span class="text-failing">{words}</span>')
    return f"<small>{'; '.join(notes)}</small>" if notes else ""


def certificate_in_words(ends: datetime, now: datetime) -> str:
    """``certificate ends in 3 days`` within 14 days, by dates; nothing before."""
    local, today = timezone.localtime(ends).date(), timezone.localtime(now).date()
    days = (local - today).days
    if days > CERTIFICATE_SOON_DAYS:
        return ""
    if days < 0:
        return f"certificate ended on {local}"
    if days == 0:
        return "certificate ends today"
    return f"certificate ends in {days} {'day' if days == 1 else 'days'}"


def _history(details: BoardDetails, path: str) -> str:
    """Two cells: how the last results were, and how long they took."""
    if not details.recent:
        return "<td></td><td></td>"
    letters = details.recent.translate(ONLY_LETTERS)
    picture, words = _bars(letters)
    last_ms = details.last_ms if letters[-1] == "u" else None  # of a failure it says nothing
    return (
        f'<td><a class="bars-link" href="{path}#results" data-recent="{path}recent/"'
        f' aria-label="{words}">{picture}</a></td>'
        f"<td>{sparkline(times(details.recent))}<span>{milliseconds(last_ms)}</span></td>"
    )


@lru_cache(maxsize=4096)
def _bars(letters: str) -> tuple[str, str]:
    styles = tuple(BAR_STYLES[letter] for letter in letters)
    return bars(styles), bars_in_words(styles)


def times(recent: str) -> list[float | None]:
    """The milliseconds of good answers; others say nothing of how quick a site is."""
    return [int(word[1:]) if word[0] == "u" else None for word in recent.split()]


def _uptimes(figures: Figures | None) -> str:
    if figures is None:
        return "<td>–</td><td>–</td><td>–</td>"
    day, month, quarter = figures.day, figures.days_30, figures.days_90
    is_new = month.due == day.due
    month_of = "a day" if is_new else ""
    quarter_of = "" if quarter.due != month.due else month_of or "30 days"
    return _uptime(day) + _uptime(month, month_of) + _uptime(quarter, quarter_of)


@lru_cache(maxsize=8192)  # most sites were asked as often, and were always up
def _uptime(uptime: Uptime, known: str = "") -> str:
    words = rests_on(uptime, known)
    note = f" <small>{words}</small>" if words else ""
    return f'<td title="{in_words(uptime)}">{uptime.percent}{note}</td>'


def rests_on(uptime: Uptime, known: str = "") -> str:
    """What a figure rests on where that is little: few results, less time than its heading says, or gaps.

    ``known``: the site's whole history, where that is shorter than the span.
    """
    if not uptime.conclusive:
        return ""
    if uptime.conclusive < FEW_RESULTS:
        return "of 1 result" if uptime.conclusive == 1 else f"of {uptime.conclusive} results"
    if (uptime.coverage or 0) < WELL_SEEN:
        return f"{100 * uptime.conclusive // uptime.due} % seen"
    return f"of {known}" if known else ""


def empty_row(group: Group) -> str:
    return f'<tr id="empty-{group.pk}"><td colspan="{COLUMNS}">No sites in this group yet.</td></tr>'


def more_row(group: Group, more: int, link: str) -> str:
    """The last row of a group that shows its worst sites only."""
    return (
        f'<tr id="more-{group.pk}"><td colspan="{COLUMNS}">'
        f'<a href="{escape(link)}">and {more:,} more</a></td></tr>'
    )


def head(group: Group, looks: Iterable[Look]) -> str:
    """A group's name and how its sites are: the summary that folds it."""
    badge = ' <span class="badge text-bg-secondary" title="Never named in public">internal</span>'
    name = escape(group.name)
    return (
        f'<summary id="group-{group.pk}-head" data-search="{name.lower()}">'
        f'<h2 class="breakable" id="name-{group.pk}"><bdi>{name}</bdi></h2>'
        f"{badge if group.internal else ''} <span>{counts(looks)}</span></summary>"
    )


def counts(looks: Iterable[Look]) -> str:
    """``1 down, 48 up``, the worst first, each in its colour."""
    found = Counter(looks)
    ordered = sorted(found, key=lambda look: look.rank)
    return ", ".join(
        f'<span class="text-{look.style}">{_counted(look, found[look])}</span>' for look in ordered
    )


def _counted(look: Look, number: int) -> str:
    word = look.word if number == 1 else look.word.replace("was ", "were ")
    return f"{number:,} {word}"


def frame(group: Group, *, staff: bool) -> str:
    """What stands around a group's rows; its head and its rows have their places in it."""
    return (
        f'<section class="group" id="group-{group.pk}" aria-labelledby="name-{group.pk}">'
        f"{_links(group) if staff else ''}<details open>{head_place(group)}"
        f'<table class="table board-table">{HEADINGS}{rows_place(group)}</table></details></section>'
    )


def head_place(group: Group) -> str:
    return f'<summary id="group-{group.pk}-head"></summary>'


def rows_place(group: Group) -> str:
    return f'<tbody id="rows-{group.pk}"></tbody>'


def filled(frame: str, group: Group, head: str, rows: Sequence[str]) -> str:
    """The frame with its head and rows: what a browser makes of the pieces."""
    body = rows_place(group).replace("></", f">{''.join(rows)}</")
    return frame.replace(head_place(group), head).replace(rows_place(group), body)


def _links(group: Group) -> str:
    """For staff. The group's name is said by its heading, which may change while the frame stays."""
    targets = (
        ("add", "Add site", f"{reverse('site_add')}?group={group.slug}"),
        ("edit", "Edit", reverse("group_edit", args=[group.slug])),
        ("delete", "Delete", reverse("group_delete", args=[group.slug])),
    )
    links = (
        f'<a id="{what}-{group.pk}" aria-labelledby="{what}-{group.pk} name-{group.pk}"'
        f' href="{url}">{text}</a>'
        for what, text, url in targets
    )
    return f'<p class="group-links">{" · ".join(links)}</p>'
