"""The pages of timings: the list of functions, and the page of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import user_only
from timings import asked, limit_queries, listing, panel, queries, reports

# A script that renews an open page asks for what moves of it alone.
PART_HEADER = "X-Part"
KEPT_FIELDS = ("key", "token", "range", "from", "to")  # a form leaves those out that it sets itself


@never_cache
@require_safe
@user_only
def functions(request: HttpRequest) -> HttpResponse:
    """Every function that has sent; with ``key`` the page of that one, which its path could not name."""
    if "key" in request.GET:
        return _function(request, request.GET["key"])
    now = timezone.now()
    found = reports.reports(now)
    page_host = request.get_host().rpartition(":")[0] or request.get_host()
    context = {
        "listing": listing.listing(request.GET, now),
        "reports": found,
        "target": reports.target(found, page_host),
        "live": request.get_full_path(),
    }
    return render(request, _template(request, "functions"), context)


@never_cache
@require_safe
@user_only
def function(request: HttpRequest, key: str) -> HttpResponse:
    """One function over a range."""
    return _function(request, key)


def _function(request: HttpRequest, key: str) -> HttpResponse:
    tokens = queries.series_of(key)
    if not tokens:
        raise Http404("No function with this key has sent anything (yet).")
    now, zone = timezone.now(), timezone.get_current_timezone()
    token = request.GET.get("token", "")
    is_known = not token or token in tokens.values()
    series = {pk: name for pk, name in tokens.items() if name == token} if token and is_known else tokens
    shown = panel.shown_of(request.GET, token if is_known else "", key, now, zone)
    last = datetime.fromtimestamp(queries.last_seen(list(series)), UTC)
    context: dict[str, Any] = {
        "key": key,
        "tokens": sorted(tokens.values()),
        "token": token if is_known else "",
        "unknown_token": "" if is_known else token[:200],
        "panel": panel.panel_of(series, shown, now),
        "last": last,
        "around_last": panel.around(request.GET, last, now),
        "reports": reports.reports(now),
    }
    if not _is_part(request):
        context |= {
            "limits": limit_queries.of_key(key),
            "live": request.get_full_path(),
            "events": urlencode({"key": key}),
            "follow": panel.kept(request.GET, range=asked.CHOICE.default),
            "fields": [(name, request.GET[name]) for name in KEPT_FIELDS if request.GET.get(name)],
        }
    return render(request, _template(request, "function"), context)


def _is_part(request: HttpRequest) -> bool:
    return PART_HEADER in request.headers


def _template(request: HttpRequest, name: str) -> str:
    return f"timings/_{name}.html" if _is_part(request) else f"timings/{name}.html"
