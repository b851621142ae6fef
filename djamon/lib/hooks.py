"""Where apps announce what they add to the frame that all share: navigation, banners, health, metrics.

Apps register in their AppConfig.ready(); this file knows none of them, only the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from prometheus_client import Metric

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
    """One true sentence at the top of every page; ``url_name``, if any, is where to mend it."""

    level: Level
    text: str
    url_name: str = ""
    link_text: str = ""


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


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``nav`` (items this viewer may follow) and ``banners``, both evaluated on use."""
    user = request.user if hasattr(request, "user") else AnonymousUser()
    audiences = {"readers"} | ({"users"} if user.is_authenticated else set())
    if user.is_staff:
        audiences.add("staff")

    def nav() -> list[NavItem]:
        visible = [item for item in nav_items if item.audience in audiences]
        return sorted(visible, key=lambda item: item.order)

    def banners() -> list[Banner]:
        now = timezone.now()
        return [banner for source in banner_sources for banner in source(now)]

    return {"nav": nav, "banners": banners}
