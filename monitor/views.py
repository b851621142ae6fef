"""Pages and JSON: a view asks monitor.queries, and shows the result."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import json_reader, page_reader
from accounts.views import login_user
from djamon.lib.buckets import RANGES, RangeRefused, asks_for_range, parse_range
from djamon.lib.charts import bar_list
from djamon.lib.negotiation import json_error
from monitor import board_page, calendar, outage_queries, queries, resultpages, timechart, uptime
from monitor.appearance import look_of
from monitor.certificate import certificate_of
from monitor.marks import Frame, Subject
from monitor.models import Site
from monitor.outage_views import outage, outages
from monitor.parts import Context, LivePage, answer, audience_of, is_part
from scripts.my_shortcuts import HttpResponseJson

__all__ = ["group_data", "home", "login_user", "outage", "outages", "site_data"]


@require_safe
@page_reader
def home(request: HttpRequest) -> HttpResponse:
    """Every group with its sites, and one sentence over all of them; narrowed by the query."""
    page = board_page.page_of(request.GET, timezone.now(), audience_of(request))
    if page is None:
        raise Http404("There is no group with this slug.")
    return render(request, "monitor/home.html", {"home": page, "states": board_page.STATES})


@never_cache
@require_safe
@page_reader
def site_recent(request: HttpRequest, slug: str) -> HttpResponse:
    """A fragment: the last results of a site in words, as home's bars show them."""
    found = _site_or_404(slug, insider=_is_insider(request))
    return HttpResponse(bar_list(queries.recent_bars(found)))


@never_cache
@json_reader
def group_data(request: HttpRequest, slug: str) -> HttpResponse:
    group = queries.find_group(slug, insider=_is_insider(request))
    if group is None:
        return json_error(404, "There is no group with this slug.")
    return HttpResponseJson(dict(queries.group_data(group)))


@never_cache
@json_reader
def site_data(request: HttpRequest, slug: str) -> HttpResponse:
    site = queries.find_site(slug, insider=_is_insider(request))
    if site is None:
        return json_error(404, "There is no site with this slug.")
    return HttpResponseJson(dict(queries.site_data(site)))


@never_cache
@json_reader
def site_times(request: HttpRequest, slug: str) -> HttpResponse:
    site = queries.find_site(slug, insider=_is_insider(request))
    if site is None:
        return json_error(404, "There is no site with this slug.")
    now, zone = timezone.now(), timezone.get_current_timezone()
    shown = parse_range(request.GET, now, zone)
    if isinstance(shown, RangeRefused):
        return json_error(400, shown.error, shown.field)
    return HttpResponseJson(dict(timechart.times_data(site, shown, now, zone)))


@require_safe
@page_reader
def site(request: HttpRequest, slug: str) -> HttpResponse:
    """One site: its state, uptime, its times over a range, its last results, outages and settings."""
    page = LivePage("site", Subject("site", slug, _is_insider(request)), request.get_full_path())
    if is_part(request):  # which may be made already, and the site hidden since then
        _site_or_404(slug, insider=page.subject.insider)
    return answer(request, page, lambda frame: _of_site(request, page.subject, frame))


def _of_site(request: HttpRequest, subject: Subject, frame: Frame) -> Context:
    found = _site_or_404(subject.key, insider=subject.insider)
    now, zone = frame.now, timezone.get_current_timezone()
    shown = parse_range(request.GET, now, zone) if asks_for_range(request.GET) else None
    if isinstance(shown, RangeRefused):
        shown = None  # the panel of times says why
    return {
        "site": found,
        "look": look_of(found, now, doubt=frame.doubt),
        "strikes": settings.STRIKES,
        "good_codes": found.good_codes or ", ".join(map(str, sorted(settings.GOOD_CODES))),
        "day": queries.day_figures(found, now),
        "figures": uptime.of_site(found, now),
        "calendar": calendar.of_site(found, now),
        "certificate": certificate_of(found, now),
        "times": timechart.panel_of(found, request.GET, now, zone),
        "ranges": RANGES,
        "results": resultpages.page_of(found, shown, request.GET),
        "results_of": timechart.range_in_words(shown, zone) if shown else "",
        "falls": outage_queries.falls_of(found, now),
        "now": now,
    }


def _is_insider(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def _site_or_404(slug: str, *, insider: bool) -> Site:
    found = queries.find_site(slug, insider=insider)
    if found is None:
        raise Http404("There is no such site (any more).")
    return found
