"""What an alert about a limit says: subject, text, HTML and the public post. Pure: a limit in, words out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.html import format_html, format_html_join

from alerts.outbox import AlertDraft
from djamon.lib.durations import in_words
from djamon.lib.visible import visible
from timings.addresses import path_of
from timings.limits import Judgement, Minute
from timings.models import Limit

PUBLIC_LIMIT = 280  # characters of a post
NAME_LIMIT = 80  # characters of a key in a sentence; the text has all of it
# What may stand in a post as it is. X makes links and mentions of other characters; of a dot it does not
# where a word and a hyphen follow, as in "shop.py-buy".
NOT_PLAIN = re.compile(r"[^\w ./(),+=-]|\.(?!\w+-)")


def exceeded(limit: Limit, seen: Judgement) -> AlertDraft:
    """The limit is over since ``limit.over_since``."""
    began = limit.over_since or limit.since
    lines = [f"{name_of(limit)} is above {threshold(limit)} since {_when(began)}."]
    if seen.newest:
        lines.append(f"In the minute from {_minute(seen.newest)}.")
    if seen.highest and seen.highest != seen.newest:
        lines.append(f"Highest in the minute from {_minute(seen.highest)}.")
    head = f"{short_name(limit)} is above {threshold(limit)}"
    measured = f": {milliseconds(seen.newest.value_ms)}" if seen.newest else ""
    return _draft(limit, f"Slow: {head}", lines, f"Slow: {_public_name(limit)} {_above(limit)}{measured}")


def fine_again(limit: Limit, began: datetime, seen: Judgement) -> AlertDraft:
    """What was over since ``began`` is fine since ``limit.since``."""
    lasted = in_words((limit.since - began).total_seconds())
    lines = [
        f"{name_of(limit)} is fine again. It was above {threshold(limit)} for {lasted}: "
        f"from {_when(began)} to {_when(limit.since)}."
    ]
    if seen.newest:
        lines.append(f"In the minute from {_minute(seen.newest)}.")
    head = f"Fine again after {lasted}"
    return _draft(limit, f"{head}: {short_name(limit)}", lines, f"{head}: {_public_name(limit)}")


def unheard(limit: Limit, began: datetime, sign: datetime | None) -> AlertDraft:
    """What was over since ``began`` has not been heard of for long; ``sign``: a receiver's last."""
    last = f" since {_when(limit.newest_at)}" if limit.newest_at else ""
    enough = "No call" if limit.fewest == 1 else f"No minute with {limit.fewest:,} calls"
    lines = [
        f"{enough} of {_quoted(limit)} was heard{last}. So whether its {limit.figure} is still above "
        f"{threshold(limit)}, as it was since {_when(began)}, is not known.",
        f"The receiver's last sign is of {_when(sign)}." if sign else "No receiver has ever run.",
    ]
    subject = f"Not known any more: {short_name(limit)}"
    return _draft(limit, subject, lines, f"Not known any more: {_public_name(limit)}")


def withdrawn(limit: Limit, began: datetime, why: str) -> AlertDraft:
    """Nobody will tell the end of what is over since ``began``: the limit was ``why``, say paused."""
    lines = [
        f"{name_of(limit)} was above {threshold(limit)} since {_when(began)}. The limit was {why}, so it is "
        "not known when that ends."
    ]
    head = "No longer watched"
    return _draft(limit, f"{head}: {short_name(limit)}", lines, f"{head}: {_public_name(limit)}")


def reference(limit_id: int) -> str:
    """What the outbox calls a limit."""
    return f"limit:{limit_id}"


# --- Names and figures, for pages too -------------------------------------------------------------
def name_of(limit: Limit) -> str:
    """``p95 of shop.py-buy (token prod)``"""
    return f"{limit.figure} of {_quoted(limit)}"


def short_name(limit: Limit) -> str:
    """For subjects and banners."""
    key = visible(limit.key)
    return f"{limit.figure} of {key if len(key) <= NAME_LIMIT else f'{key[: NAME_LIMIT - 1]}…'}"


def threshold(limit: Limit) -> str:
    """As it was typed, with all its digits."""
    return f"{limit.threshold_ms:,.12g} ms"


def milliseconds(value: float) -> str:
    """Four digits that count: ``0.4218 ms``, ``312.5 ms``, ``12,345 ms``."""
    return f"{value:,.0f} ms" if value >= 1000 else f"{value:.4g} ms"


def _quoted(limit: Limit) -> str:
    return visible(limit.key) + (f" (token {visible(limit.token)})" if limit.token else "")


def _above(limit: Limit) -> str:
    return f"is above {threshold(limit)}"


def _public_name(limit: Limit) -> str:
    """In a post nothing of a key becomes a link or a mention, and its token stays unsaid."""
    return f"{limit.figure} of {NOT_PLAIN.sub(_encoded, visible(limit.key))}"


def _encoded(found: re.Match[str]) -> str:
    return "%2E" if found[0] == "." else quote(found[0], safe="")


def _minute(minute: Minute) -> str:
    at = datetime.fromtimestamp(minute.start, UTC).astimezone(ZoneInfo(settings.TIME_ZONE))
    return f"{at:%H:%M}: {milliseconds(minute.value_ms)} ({calls(minute.calls)})"


def calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d %H:%M %Z}"


# --- The draft ------------------------------------------------------------------------------------
def _draft(limit: Limit, subject: str, lines: Sequence[str], public: str) -> AlertDraft:
    links = [
        ("The function", f"{settings.SITE_URL}{path_of(limit.key)}"),
        ("The limit, and who was told", f"{settings.SITE_URL}{limit.get_absolute_url()}"),
    ]
    asks = f"The limit: {terms(limit)}{f', set by {limit.created_by}' if limit.created_by else ''}."
    text = "\n\n".join([*lines, asks, *(f"{words}: {link}" for words, link in links)])
    paragraphs = format_html_join("", "<p><bdi>{}</bdi></p>", [(line,) for line in (*lines, asks)])
    html = format_html(
        '<!doctype html><html><body style="font-family:sans-serif">{}{}</body></html>',
        paragraphs,
        format_html_join("", '<p><a href="{}">{}</a></p>', [(link, words) for words, link in links]),
    )
    return AlertDraft(
        reference=reference(limit.pk),
        subject=subject,
        text=f"{text}\n",
        html=html,
        public=_cut(public) if limit.public else None,
    )


def terms(limit: Limit) -> str:
    """``p95 above 200 ms for 5 minutes``, and what else was asked for."""
    minutes = "1 minute" if limit.minutes == 1 else f"{limit.minutes:,} minutes"
    fewest = f", of minutes with at least {limit.fewest:,} calls" if limit.fewest > 1 else ""
    return f"{limit.figure} above {threshold(limit)} for {minutes}{fewest}"


def _cut(post: str) -> str:
    return post if len(post) <= PUBLIC_LIMIT else f"{post[: PUBLIC_LIMIT - 1]}…"
