"""Every address of the URLconf, with real rows behind it: a new one is walked without being named here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# Open to strangers by design; every other address must refuse them.
OPEN = {"login", "logout", "healthz", "metrics"}
# What a member may change: the own session, password and tokens.
OWN_THINGS = {"login", "logout", "password_change", "tokens", "revoke_token"}
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def addresses(rows: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, path); ``rows`` gives a value for each variable of a route."""
    for route, name in _walk(get_resolver()):
        yield name, "/" + _filled(route, rows)


def own_addresses(rows: dict[str, Any]) -> list[tuple[str, str]]:
    """Without Django's admin, which has tests of its own."""
    return [(name, path) for name, path in addresses(rows) if not path.startswith("/admin/")]


def _walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.name or ""
        else:
            yield from _walk(pattern, route)


def _filled(route: str, rows: dict[str, Any]) -> str:
    for part in route.split("<")[1:]:
        variable = part.partition(">")[0]
        name = variable.rpartition(":")[2]
        if name not in rows:
            return route.replace("<", "").replace(">", "").replace("^", "").replace("$", "")
        route = route.replace(f"<{variable}>", str(rows[name]))
    return route
