"""Home as one page: filtered by the words and the state of its query, a group alone, or all that there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.core.paginator import Page
from django.utils.safestring import SafeString, mark_safe

from monitor import board, board_rows
from monitor.appearance import LOOKS
from monitor.board import Audience, Board, Pick, Seen
from monitor.board_rows import Placed
from monitor.models import Group
from scripts.my_shortcuts import paginate

SITES_PER_PAGE = 500  # of one group alone
LONGEST_WORDS = 200
STATES = {key: look.word for key, look in LOOKS.items()}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the sites are narrowed to: all that ``words`` stand in, in the state of that key."""

    words: str = ""
    state: str = ""
    group: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.words or self.state)

    def query(self, **changed: str) -> str:
        """As a link carries it."""
        parts = {"group": self.group, "q": self.words, "state": self.state} | changed
        return urlencode({key: value for key, value in parts.items() if value})

    def matching(self, group: Group, sites: list[Placed]) -> list[Placed]:
        words = self.words.casefold()
        if self.state:
            sites = [placed for placed in sites if placed.look.key == self.state]
        if not words or words in group.name.casefold():
            return sites
        return [
            placed
            for placed in sites
            if words in placed.site.name.casefold() or words in placed.site.url.casefold()
        ]


@dataclass(frozen=True, slots=True)
class HomePage:
    """``tag`` is empty where only a part of the board is shown: such a page asks anew when that changes.

    ``is_whole``: all sites are on the page, so that a browser can filter in it.
    """

    board: Board
    groups: SafeString
    tag: str
    filter: Filter
    total: int
    found: int
    is_whole: bool = False
    group: Group | None = None
    page: Page[Placed] | None = None

    @property
    def headline(self) -> SafeString:
        return mark_safe(self.board.pieces["headline"])  # noqa: S308  (made of escaped parts)

    @property
    def banners(self) -> SafeString:
        return mark_safe(self.board.pieces["banners"])  # noqa: S308  (made by a template)

    @property
    def result(self) -> str:
        """How many sites the filter leaves; nothing without a filter."""
        if not self.filter.is_set:
            return ""
        noun = "site" if self.total == 1 else "sites"
        return f"{self.found:,} of {self.total:,} {noun}" if self.found else "No site matches"


def read_filter(query: Mapping[str, str]) -> Filter:
    """The filter of a query; a state that there is none of does not count."""
    state = query.get("state", "")
    return Filter(
        words=query.get("q", "").strip()[:LONGEST_WORDS],
        state=state if state in STATES else "",
        group=query.get("group", ""),
    )


def page_of(query: Mapping[str, str], now: datetime, audience: Audience) -> HomePage | None:
    """Home for this query; None where it asks for a group that is not there for this reader."""
    wanted, seen = read_filter(query), board.see(now)
    groups = board.visible(seen, audience)
    matching = {group.pk: wanted.matching(group, seen.sites[group.pk]) for group in groups}
    if wanted.group:
        alone = next((group for group in groups if group.slug == wanted.group), None)
        if alone is None:
            return None
        page = paginate(matching[alone.pk], SITES_PER_PAGE, query.get("page"))
        return _of_group(seen, alone, page, wanted, audience)
    total = sum(len(seen.sites[group.pk]) for group in groups)
    found = sum(map(len, matching.values()))
    if wanted.is_set and not seen.is_whole:
        return _of_many(seen, matching, wanted, audience, total)
    drawn = board.paint(seen, [audience], board.worst(seen))[audience]
    kept = None
    if wanted.is_set:
        kept = {f"site-{placed.site.pk}" for sites in matching.values() for placed in sites}
    shown = _assembled(groups, drawn, kept)
    return HomePage(drawn, shown, drawn.tag, wanted, total, found, is_whole=seen.is_whole)


def _of_many(
    seen: Seen, matching: Mapping[int, list[Placed]], wanted: Filter, audience: Audience, total: int
) -> HomePage:
    """The worst sites that match; those of the board would be the worst of all."""
    groups = [group for group in board.visible(seen, audience) if matching[group.pk]]
    narrowed = replace(seen, groups=groups, sites={group.pk: matching[group.pk] for group in groups})
    picks = {
        key: pick._replace(link=f"?{wanted.query(group=_slug(groups, key))}")
        for key, pick in board.worst(narrowed).items()
    }
    drawn = board.paint(seen, [audience], picks)[audience]
    return HomePage(drawn, _assembled(groups, drawn, None), "", wanted, total, narrowed.total)


def _slug(groups: list[Group], key: int) -> str:
    return next(group.slug for group in groups if group.pk == key)


def _of_group(seen: Seen, group: Group, page: Page[Placed], wanted: Filter, audience: Audience) -> HomePage:
    drawn = board.paint(seen, [audience], {group.pk: Pick(list(page))})[audience]
    total, found = len(seen.sites[group.pk]), page.paginator.count
    shown = _assembled([group] if found or not total else [], drawn, None)
    return HomePage(drawn, shown, "", wanted, total, found, group=group, page=page)


def _assembled(groups: list[Group], drawn: Board, kept: set[str] | None) -> SafeString:
    """The groups as a browser would put them together; ``kept``: all other rows are there, but hidden."""
    parts = []
    for group in groups:
        rows = drawn.order[f"rows-{group.pk}"]
        html = [
            drawn.pieces[row] if kept is None or row in kept else _hidden(drawn.pieces[row]) for row in rows
        ]
        frame = drawn.frames[f"group-{group.pk}"]
        if kept is not None and not kept.intersection(rows):
            frame = _hidden(frame)
        parts.append(board_rows.filled(frame, group, drawn.pieces[f"group-{group.pk}-head"], html))
    return mark_safe("".join(parts))  # noqa: S308  (the pieces escape what people typed)


def _hidden(html: str) -> str:
    """The element with the attribute ``hidden``."""
    name, _, rest = html.partition(" ")
    return f"{name} hidden {rest}"
