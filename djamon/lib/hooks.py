"""Where apps announce what they add to the frame that all share: navigation, banners, health, metrics, names.

Apps register in their AppConfig.ready(); this file knows none of them, only the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from prometheus_client import Metric

from djamon import __version__

Level = Literal["danger", "warning", "info"]


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link in the navigation: ``url_name`` is reversed without arguments; lower ``order`` stands first."""

    label: str
    url_name: str
    order: int
    audience: Literal["readers", "users", "staff"] = "readers"


@dataclass(frozen=True, slots=True)
class Banner:
    """One true sentence at the top of every page; ``url_name``, if any, is where to mend it.

    Strangers, whom PUBLIC_STATUS lets in, read ``public_text`` and no link; without it, nothing.
    """

    level: Level
    text: str
    url_name: str = ""
    link_text: str = ""
    public_text: str = ""

    def for_strangers(self) -> Banner | None:
        return Banner(self.level, self.public_text) if self.public_text else None


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One part of /healthz: ``age_s`` is how long ago it was last seen alive, or its oldest backlog."""

    name: str
    ok: bool
    detail: str
    age_s: float | None = None


nav_items: list[NavItem] = []
banner_sources: list[Callable[[datetime], Iterable[Banner]]] = []
health_sources: list[Callable[[datetime], Iterable[HealthPart]]] = []
metric_sources: list[Callable[[datetime], Iterable[Metric]]] = []
# By the name of a form's field whose values are keys: what people call the row, None where it is no row's.
key_words: dict[str, Callable[[str], str | None]] = {}

_SAID = "djamon_banners"  # the attribute of a request


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``nav`` (items this viewer may follow), ``banners`` and ``version``.

    The first two are evaluated on use: a fragment that shows neither asks nothing of the database.
    Who may not read the pages is told nothing of their state.
    """

    def nav() -> list[NavItem]:
        audiences = _audiences(request)
        visible = [item for item in nav_items if item.audience in audiences]
        return sorted(visible, key=lambda item: item.order)

    def banners() -> list[Banner]:
        audiences = _audiences(request)
        return told(said_in(request), insider="users" in audiences) if audiences else []

    return {"nav": nav, "banners": banners, "version": __version__}


def said(now: datetime) -> list[Banner]:
    """What all apps have to say, as people with a login read it."""
    return [banner for source in banner_sources for banner in source(now)]


def said_in(request: HttpRequest) -> list[Banner]:
    """The same, asked once for each request: what a page shows and what it is judged by are one answer."""
    if not hasattr(request, _SAID):
        setattr(request, _SAID, said(timezone.now()))
    found: list[Banner] = getattr(request, _SAID)
    return found


def told(banners: Iterable[Banner], *, insider: bool) -> list[Banner]:
    """What people with a login read of it, or strangers."""
    if insider:
        return list(banners)
    return [public for banner in banners if (public := banner.for_strangers())]


def _audiences(request: HttpRequest) -> set[str]:
    """Whom this viewer belongs to; strangers are readers only where PUBLIC_STATUS says so."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"readers"} if settings.PUBLIC_STATUS else set()
    return {"readers", "users", "staff"} if user.is_staff else {"readers", "users"}
