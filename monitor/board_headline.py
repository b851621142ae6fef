"""The top of home: the sentence over all sites, who was told of the open outage, or what to do first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alerts.channels import label_of
from alerts.queries import configured
from monitor import outage_queries, told
from monitor.appearance import clock, headline
from monitor.board_rows import Placed
from monitor.models import Outage
from monitor.told import Listener

SHOWN = 10  # recipients
RECENTLY = timedelta(days=30)  # the end of an outage is told for so long


@dataclass(frozen=True, slots=True)
class Story:
    """The open outage and who was told of what is down, or the end of the last one.

    ``anybody``: whether there is anybody to be told.
    ``public``: the same as strangers may know it, where PUBLIC_STATUS lets them in.
    """

    path: str = ""
    listeners: Sequence[Listener] | None = None
    over_at: datetime | None = None
    anybody: bool = True
    public: Story | None = None


def story(now: datetime) -> Story:
    """One query; one more while an outage is open, and one for strangers where they are let in."""
    public = _outline(outage_queries.latest_outage(insider=False), now) if settings.PUBLIC_STATUS else None
    outage = Outage.objects.first()  # the latest: only that can be open
    known = replace(_outline(outage, now), public=public)
    if outage is None or outage.resolved_at is not None:
        return known
    return replace(known, listeners=told.of(outage), anybody=bool(configured()))


def _outline(outage: Outage | None, now: datetime) -> Story:
    if outage is None:
        return Story()
    path = outage.get_absolute_url()
    if outage.resolved_at is None:
        return Story(path)
    return Story(path, over_at=outage.resolved_at) if now - outage.resolved_at <= RECENTLY else Story()


def html(
    sites: Sequence[Placed],
    since: Mapping[int, datetime | None],
    story: Story,
    now: datetime,
    *,
    audience: str,
) -> str:
    """The element with the id ``headline``."""
    if not sites:
        nothing = render_to_string("monitor/_nothing.html", {"audience": audience}).strip()
        return f'<div id="headline">{nothing}</div>'
    if audience == "stranger":
        story = story.public or Story()
    said = headline(sites, since, now)
    lines = [format_html("<p>{}{}</p>", said.html, _link(story, now))]
    if story.listeners is not None:
        lines.append(format_html('<p class="told">{}</p>', told_in_words(story, now)))
    return format_html(
        '<div id="headline" class="headline headline-{} breakable" role="status">{}</div>',
        said.style,
        format_html_join("", "{}", ((line,) for line in lines)),
    )


def _link(story: Story, now: datetime) -> SafeString | str:
    if story.over_at is not None:
        said = ' <a href="{}">The last outage</a> ended {} {}.'
        when = clock(story.over_at, now)
        return format_html(said, story.path, "at" if len(when) == 5 else "on", when)
    return format_html(' <a href="{}">The current outage</a>', story.path) if story.path else ""


def told_in_words(story: Story, now: datetime) -> SafeString:
    """``Told by e-mail at 05:15: a@x.example, b@y.example.``; moments, and no durations.

    All of it is said of the sites that are down now, so no moment stands for a site that fell after it.
    """
    if not story.listeners:
        nobody = "Nobody has been told yet." if story.anybody else "Nobody is configured to be told."
        return format_html("{}", nobody)
    shown, more = story.listeners[:SHOWN], len(story.listeners[SHOWN:])
    sentences = [_sentence(how, who) for how, who in _by_moment(shown, now).items()]
    if more:
        sentences.append(format_html("And {} more.", f"{more:,}"))
    if later := sum(someone.unsent for someone in shown if someone.told):
        what = "1 later message has" if later == 1 else f"{later:,} later messages have"
        sentences.append(format_html("{} not arrived.", what))
    return format_html_join(" ", "{}", ((said,) for said in sentences))


def _by_moment(listeners: Sequence[Listener], now: datetime) -> dict[str, list[str]]:
    """The addresses by how and when they were told; those that were not stand last, as they come."""
    found: dict[str, list[str]] = {}
    for someone in listeners:
        found.setdefault(_how(someone, now), []).append(someone.address)
    return found


def _how(someone: Listener, now: datetime) -> str:
    channel = label_of(someone.channel)
    if someone.last is None:
        return f"Not told by {channel} yet"
    at = clock(someone.last, now)
    if someone.told < someone.alerts:
        return f"Told of some by {channel}, last at {at}"
    if someone.first != someone.last:
        return f"Told of each by {channel}, last at {at}"
    return f"Told by {channel} at {at}"


def _sentence(how: str, addresses: Sequence[str]) -> SafeString:
    named = [address for address in addresses if address]  # a channel without addresses has one recipient
    if not named:
        return format_html("{}.", how)
    who = format_html_join(", ", "<bdi>{}</bdi>", ((address,) for address in named))
    return format_html("{}: {}.", how, who)
