"""What an alert says: subject, text, HTML and the public post. Pure: rows in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alerts.outbox import AlertDraft
from djamon.lib.durations import in_words
from monitor.models import Outage, OutageSites

PUBLIC_LIMIT = 280  # characters of a post
SUBJECT_NAMES = 3  # sites a subject names before it counts the rest
NAME_LIMIT = 80  # characters of a name in a sentence
LISTED = 50  # sites a message lists one by one; the outage's page has all


def fell(outage: Outage, falls: Sequence[OutageSites], *, joined: bool) -> AlertDraft:
    """An outage has opened with ``falls``, or, where ``joined``, they fell while it was open."""
    names = [fall.site_name for fall in falls]
    verb = "is" if len(names) == 1 else "are"
    head = f"{_some(names, SUBJECT_NAMES)} {verb} {'also ' if joined else ''}down."
    lines = [f"down since {_when(fall.fell_at)}: {fall.reason}" for fall in falls]
    return AlertDraft(
        reference=reference(outage.pk),
        subject=f"{'Also down' if joined else 'Down'}: {_some(names, SUBJECT_NAMES)}",
        text=_text(outage, head, falls, lines),
        html=_html(outage, head, falls, lines),
        public=_public("Also down" if joined else "Down", falls, ""),
    )


def resolved(outage: Outage, falls: Sequence[OutageSites]) -> AlertDraft:
    """All sites of the outage are back, or no longer watched; ``falls`` are all that it had."""
    names = list(dict.fromkeys(fall.site_name for fall in falls))
    end = outage.resolved_at or outage.opened_at
    duration = in_words((end - outage.opened_at).total_seconds())
    over = any(fall.ending != OutageSites.Ending.BACK for fall in falls)
    head = f"The outage is over after {duration}: {_some(names, SUBJECT_NAMES)}."
    return AlertDraft(
        reference=reference(outage.pk),
        subject=f"{'Over' if over else 'Up again'} after {duration}: {_some(names, SUBJECT_NAMES)}",
        text=_text(outage, head, falls, [_course(fall) for fall in falls]),
        html=_html(outage, head, falls, [_course(fall) for fall in falls]),
        public=_public("Over" if over else "Up again", falls, f" (after {duration})"),
    )


def reference(outage_id: int) -> str:
    """What the outbox calls an outage."""
    return f"outage:{outage_id}"


def _course(fall: OutageSites) -> str:
    if fall.back_at is None:
        return f"down since {_when(fall.fell_at)}"
    ending = {"paused": "paused while down", "deleted": "deleted while down"}.get(fall.ending, "up again")
    lasted = in_words((fall.back_at - fall.fell_at).total_seconds())
    return f"down from {_when(fall.fell_at)} to {_when(fall.back_at)}, {lasted}; {ending}"


def _text(outage: Outage, head: str, falls: Sequence[OutageSites], lines: Sequence[str]) -> str:
    listed = list(zip(falls, lines, strict=True))[:LISTED]
    blocks = [f"{fall.site_name}\n  {fall.site_url}\n  {line}" for fall, line in listed]
    return "\n\n".join([head, *blocks, *_rest(falls), f"Who fell when, and who was told: {_link(outage)}\n"])


def _html(outage: Outage, head: str, falls: Sequence[OutageSites], lines: Sequence[str]) -> SafeString:
    rows = format_html_join(
        "",
        '<tr><td style="padding:4px 12px 4px 0"><strong>{}</strong><br>{}</td>'
        '<td style="padding:4px 0">{}</td></tr>',
        [(fall.site_name, fall.site_url, line) for fall, line in zip(falls, lines, strict=True)][:LISTED],
    )
    return format_html(
        '<!doctype html><html><body style="font-family:sans-serif"><p><strong>{}</strong></p>'
        '<table style="border-collapse:collapse">{}</table>{}'
        '<p><a href="{}">Who fell when, and who was told</a></p></body></html>',
        head,
        rows,
        format_html_join("", "<p>{}</p>", [(line,) for line in _rest(falls)]),
        _link(outage),
    )


def _public(word: str, falls: Sequence[OutageSites], tail: str) -> str | None:
    """At most 280 characters that name sites, never URLs, and nothing of an internal group.

    None where nothing is left to say. A post with a link costs a multiple of one without.
    """
    names = list(dict.fromkeys(fall.site_name for fall in falls if not _is_internal(fall)))
    for count in range(min(len(names), PUBLIC_LIMIT // 3), 0, -1):  # no more names than that can fit
        post = f"{word}: {_some(names, count)}{tail}"
        if len(post) <= PUBLIC_LIMIT:
            return post
    return None


def _is_internal(fall: OutageSites) -> bool:
    """A site that is gone cannot be asked for its group any more: it is kept back."""
    return fall.site is None or fall.site.group.internal


def _some(names: Sequence[str], most: int) -> str:
    """``A``, ``A and B``, ``A, B and C``, ``A, B and 7 more``."""
    names = [name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 1]}…" for name in names]
    shown = list(names) if len(names) <= most else [*names[: max(1, most - 1)]]
    if len(shown) < len(names):
        shown.append(f"{len(names) - len(shown)} more")
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def _rest(falls: Sequence[OutageSites]) -> list[str]:
    return [f"… and {len(falls) - LISTED} more sites."] if len(falls) > LISTED else []


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d %H:%M:%S %Z}"


def _link(outage: Outage) -> str:
    return f"{settings.SITE_URL}{reverse('outage', args=[outage.pk])}"
