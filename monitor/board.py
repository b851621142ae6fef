"""Home as pieces of HTML by element id: what a page is made of, and what an open one replaces.

Every piece is a function of what is stored and of today's date: no durations, which would change each second.
:func:`fingerprint` covers all that they depend on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from djamon.lib import hooks
from djamon.lib.hooks import Banner
from jobs.queries import are_pages_in_doubt
from monitor import board_headline, board_rows, queries, uptimes
from monitor.appearance import look_of_state
from monitor.board_headline import Story
from monitor.board_rows import Placed
from monitor.models import Group
from monitor.names import Natural, natural
from monitor.queries import NO_DETAILS, BoardDetails
from monitor.uptimes import Known

# A stranger, whom PUBLIC_STATUS lets in, sees no internal group, nobody who was told, and public banners.
Audience = Literal["staff", "user", "stranger"]

# Where not all sites fit, each group shows its worst, but never fewer than this.
FEWEST_OF_GROUP = 20


@dataclass(frozen=True, slots=True)
class Board:
    """HTML by element id, and the ids in each container by that container's id, in their order.

    ``pieces`` are replaced where they differ; ``frames`` are made where they are missing.
    """

    pieces: dict[str, str]
    frames: dict[str, str]
    order: dict[str, tuple[str, ...]]

    @property
    def tag(self) -> str:
        """A short hash of all three: what a page says it shows. The same in every process."""
        digest = blake2b(digest_size=12)
        for part in (self.pieces, self.frames):
            digest.update("\0".join([f"{key}\0{html}" for key, html in part.items()]).encode())
        digest.update(repr(list(self.order.items())).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """All that home tells of, as it is stored: the groups in their order, in each its sites, worst first."""

    now: datetime
    groups: list[Group]
    sites: Mapping[int, list[Placed]]  # by the group's key; every group has a list
    since: Mapping[int, datetime | None]  # the falls that go on, by the site's key
    story: Story
    banners: list[Banner]
    known: Known

    @property
    def total(self) -> int:
        return sum(map(len, self.sites.values()))

    @property
    def is_whole(self) -> bool:
        """Whether home has a row for each site."""
        return self.total <= settings.HOME_ROWS


class Pick(NamedTuple):
    """What is shown of one group: some of its sites, how many there are beyond, and where those are."""

    sites: Sequence[Placed]
    more: int = 0
    link: str = ""


def draw(now: datetime, audiences: Collection[Audience]) -> dict[Audience, Board]:
    """Home as each of the audiences sees it; as many queries for one site as for thousands."""
    seen = see(now)
    return paint(seen, audiences, worst(seen))


def fingerprint(now: datetime) -> object:
    """Equal as long as :func:`draw` would draw the same; quick."""
    return (
        queries.board_stamp(),
        queries.old_sites(now),
        are_pages_in_doubt(now),
        tuple(hooks.said(now)),
        board_headline.story(now),
        uptimes.kept.read(now).at,
        timezone.localtime(now).date(),
    )


def see(now: datetime) -> Seen:
    """Read all of it."""
    doubt, old = are_pages_in_doubt(now), queries.old_sites(now)
    groups = queries.board_groups()
    sites: dict[int, list[Placed]] = {group.pk: [] for group in groups}
    for site in queries.board_sites():
        if site.group_id in sites:  # or it came since the groups were read
            shown_state = site.state if site.enabled else "paused"
            look = look_of_state(shown_state, old=site.pk in old, doubt=doubt)
            sites[site.group_id].append(Placed(site, look))
    for placed in sites.values():
        placed.sort(key=_badness)
    return Seen(
        now=now,
        groups=sorted(groups, key=lambda group: _group_badness(group, sites[group.pk])),
        sites=sites,
        since=queries.fallen_since(),
        story=board_headline.story(now),
        banners=hooks.said(now),
        known=uptimes.current(now),
    )


def worst(seen: Seen) -> dict[int, Pick]:
    """All sites of each group or, where those are too many, its worst."""
    if seen.is_whole:
        return {key: Pick(sites) for key, sites in seen.sites.items()}
    share = max(FEWEST_OF_GROUP, settings.HOME_ROWS // len(seen.groups))
    return {
        group.pk: Pick(sites[:share], max(0, len(sites) - share), f"?group={group.slug}")
        for group in seen.groups
        for sites in [seen.sites[group.pk]]
    }


def paint(seen: Seen, audiences: Iterable[Audience], picks: Mapping[int, Pick]) -> dict[Audience, Board]:
    """The groups that are picked, for each of the audiences; each row is written once for all of them."""
    details = queries.board_details(_keys(seen, picks))
    rows = {
        group.pk: _rows(seen, group, picks[group.pk], details) for group in seen.groups if group.pk in picks
    }
    heads = {
        group.pk: board_rows.head(group, (look for _, look in seen.sites[group.pk])) for group in seen.groups
    }
    return {audience: _board(seen, audience, rows, heads) for audience in audiences}


def _keys(seen: Seen, picks: Mapping[int, Pick]) -> list[int] | None:
    """The sites that are picked; None for all, which are read in less time than they are named."""
    keys = [placed.site.pk for pick in picks.values() for placed in pick.sites]
    return None if len(keys) == seen.total else keys


def visible(seen: Seen, audience: Audience) -> list[Group]:
    return [group for group in seen.groups if audience != "stranger" or not group.internal]


def _board(
    seen: Seen, audience: Audience, rows: Mapping[int, dict[str, str]], heads: Mapping[int, str]
) -> Board:
    everything = visible(seen, audience)
    groups = [group for group in everything if group.pk in rows]
    pieces = {
        "headline": board_headline.html(
            [placed for group in everything for placed in seen.sites[group.pk]],
            seen.since,
            seen.story,
            seen.now,
            audience=audience,
        ),
        "banners": _banners_html(seen.banners, audience),
    }
    order = {"groups": tuple(f"group-{group.pk}" for group in groups)}
    for group in groups:
        pieces[f"group-{group.pk}-head"] = heads[group.pk]
        pieces |= rows[group.pk]
        order[f"rows-{group.pk}"] = tuple(rows[group.pk])
    frames = {f"group-{group.pk}": board_rows.frame(group, staff=audience == "staff") for group in groups}
    return Board(pieces, frames, order)


def _rows(seen: Seen, group: Group, pick: Pick, details: Mapping[int, BoardDetails]) -> dict[str, str]:
    """A group's rows by their ids."""
    figures = seen.known.figures
    noon = timezone.localtime(seen.now).replace(hour=12, minute=0, second=0, microsecond=0)
    rows = {}
    for placed in pick.sites:
        key = placed.site.pk
        told = details.get(key, NO_DETAILS)
        rows[f"site-{key}"] = board_rows.row(placed, told, figures.get(key), noon)
    if pick.more:
        rows[f"more-{group.pk}"] = board_rows.more_row(group, pick.more, pick.link)
    elif not rows:
        rows[f"empty-{group.pk}"] = board_rows.empty_row(group)
    return rows


def _badness(placed: Placed) -> tuple[int, Natural, int]:
    return placed.look.rank, natural(placed.site.name), placed.site.pk


def _group_badness(group: Group, sites: Sequence[Placed]) -> tuple[int, Natural]:
    """What has something down first, then what has something failing, then by name."""
    return min(2, sites[0].look.rank if sites else 2), natural(group.name)


def _banners_html(banners: Sequence[Banner], audience: Audience) -> str:
    told = hooks.told(banners, insider=audience != "stranger")
    said = render_to_string("includes/banners.html", {"banners": told}).strip()
    return f'<div id="banners">{said}</div>'
