"""The end of a site's certificate in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from monitor.models import Site
from monitor.verdicts import is_https

WARN, DANGER = timedelta(days=14), timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Ending:
    """``style`` is a text-… class of the stylesheet."""

    text: str
    style: Literal["body", "failing", "down"]


def certificate_of(site: Site, now: datetime) -> Ending | None:
    """None where none was read yet, or where the URL has none (any more)."""
    ends = site.certificate_ends
    if ends is None or not is_https(site.url):
        return None
    when = f"{ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if ends <= now:
        return Ending(f"■ Certificate ended {when}.", "down")
    text = f"Certificate ends {when}, {_in_days(ends - now)}."
    if ends - now < DANGER:
        return Ending(f"■ {text}", "down")
    return Ending(f"▲ {text}", "failing") if ends - now < WARN else Ending(text, "body")


def _in_days(left: timedelta) -> str:
    if not left.days:
        return "in less than a day"
    return f"in {left.days} {'day' if left.days == 1 else 'days'}"
