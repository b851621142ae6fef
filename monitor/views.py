"""Pages and JSON: a view asks monitor.queries or tells monitor.editing, and shows the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import json_reader, page_reader, staff_only
from accounts.views import login_user
from djamon.lib.buckets import RANGES, RangeRefused, parse_range
from djamon.lib.negotiation import json_error
from jobs.queries import are_pages_in_doubt
from monitor import editing, outage_queries, queries, timechart
from monitor.appearance import Headline, headline, look_of
from monitor.errors import EditRefused
from monitor.forms import GroupForm, SiteForm
from monitor.models import Group, Site
from monitor.outage_views import outage, outages
from scripts.my_shortcuts import HttpResponseJson, paginate

__all__ = ["group_data", "home", "login_user", "outage", "outages", "site_data"]

RESULTS_PER_PAGE = 20

form_methods = require_http_methods(["GET", "HEAD", "POST"])


# --- Reading -------------------------------------------------------------------------------------
@require_safe
@page_reader
def home(request: HttpRequest) -> HttpResponse:
    """Every group with its sites, and one sentence over all of them."""
    now = timezone.now()
    groups = queries.groups_with_sites(now, insider=_is_insider(request))
    sites = [card.site for group in groups for card in group.cards]
    context = {"groups": groups, "headline": _headline(sites, now), "now": now}
    return render(request, "monitor/home.html", context)


def _headline(sites: list[Site], now: datetime) -> Headline | None:
    return headline(sites, now, doubt=are_pages_in_doubt(now)) if sites else None


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
    """One site: its state, its last day, its times over a range, its last results, outages and settings."""
    found = _site_or_404(slug, insider=_is_insider(request))
    now = timezone.now()
    context = {
        "site": found,
        "look": look_of(found, now),
        "strikes": settings.STRIKES,
        "good_codes": found.good_codes or ", ".join(map(str, sorted(settings.GOOD_CODES))),
        "day": queries.day_figures(found, now),
        "times": timechart.panel_of(found, request.GET, now, timezone.get_current_timezone()),
        "ranges": RANGES,
        "results": paginate(queries.results(found), RESULTS_PER_PAGE, request.GET.get("page")),
        "falls": outage_queries.falls_of(found, now),
        "now": now,
    }
    return render(request, "monitor/site.html", context)


# --- Changing ------------------------------------------------------------------------------------
@form_methods
@staff_only
def group_add(request: HttpRequest) -> HttpResponse:
    form = GroupForm(request.POST or None)
    if form.is_valid() and _stored(form, lambda: editing.add_group(form.instance)):
        messages.success(request, f"Group {form.instance.name} is added.")
        return redirect(f"{reverse('site_add')}?group={form.instance.slug}")
    return _form_page(request, form, "Add a group", reverse("home"))


@form_methods
@staff_only
def group_edit(request: HttpRequest, slug: str) -> HttpResponse:
    group = _group_or_404(slug)
    form = GroupForm(request.POST or None, instance=group)
    if form.is_valid() and _stored(form, lambda: editing.edit_group(group, form.changed_data)):
        messages.success(request, f"Group {group.name} is saved.")
        return redirect("home")
    return _form_page(request, form, "Edit the group", reverse("home"))


@form_methods
@staff_only
def group_delete(request: HttpRequest, slug: str) -> HttpResponse:
    group = _group_or_404(slug)
    if request.method == "POST":
        _or_404(lambda: editing.delete_group(group.pk, timezone.now()))
        messages.success(request, f"Group {group.name} is deleted.")
        return redirect("home")
    context = {
        "what": "group",
        "name": group.name,
        "sites": group.sites.count(),
        "results": queries.views_in_words(group.sites.all()),
        "back": reverse("home"),
    }
    return render(request, "monitor/confirm_delete.html", context)


@form_methods
@staff_only
def site_add(request: HttpRequest) -> HttpResponse:
    if not Group.objects.exists():
        messages.info(request, "Sites stand in groups: add the first group, then its sites.")
        return redirect("group_add")
    group = queries.find_group(request.GET.get("group", ""), insider=True)
    form = SiteForm(request.POST or None, initial={"group": group})
    if form.is_valid() and _stored(form, lambda: editing.add_site(form.instance)):
        messages.success(request, f"Site {form.instance.name} is added. The next run asks it.")
        return redirect(form.instance)
    return _form_page(request, form, "Add a site", reverse("home"))


@form_methods
@staff_only
def site_edit(request: HttpRequest, slug: str) -> HttpResponse:
    found = _site_or_404(slug, insider=True)
    back = found.get_absolute_url()
    form = SiteForm(request.POST or None, instance=found)
    if form.is_valid() and _stored(form, lambda: editing.edit_site(found, form.changed_data)):
        messages.success(request, f"Site {found.name} is saved.")
        return redirect(back)
    return _form_page(request, form, "Edit the site", back)


@require_POST
@staff_only
def site_pause(request: HttpRequest, slug: str) -> HttpResponse:
    """``value`` says which it shall be, so that a second click changes nothing."""
    found = _site_or_404(slug, insider=True)
    match request.POST.get("value"):
        case "pause":
            _or_404(lambda: editing.pause_site(found.pk, timezone.now()))
            messages.success(request, f"Site {found.name} is paused: it is not asked until it is resumed.")
        case "resume":
            _or_404(lambda: editing.resume_site(found.pk, timezone.now()))
            messages.success(request, f"Site {found.name} is resumed. The next run asks it.")
        case _:
            return HttpResponseBadRequest("value: neither pause nor resume")
    return redirect(found)


@form_methods
@staff_only
def site_delete(request: HttpRequest, slug: str) -> HttpResponse:
    found = _site_or_404(slug, insider=True)
    if request.method == "POST":
        _or_404(lambda: editing.delete_site(found.pk, timezone.now()))
        messages.success(request, f"Site {found.name} is deleted.")
        return redirect("home")
    context = {
        "what": "site",
        "name": found.name,
        "results": queries.views_in_words([found.pk]),
        "back": found.get_absolute_url(),
    }
    return render(request, "monitor/confirm_delete.html", context)


def _is_insider(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def _group_or_404(slug: str) -> Group:
    group = queries.find_group(slug, insider=True)
    if group is None:
        raise Http404("There is no such group (any more).")
    return group


def _site_or_404(slug: str, *, insider: bool) -> Site:
    found = queries.find_site(slug, insider=insider)
    if found is None:
        raise Http404("There is no such site (any more).")
    return found


def _or_404(change: Callable[[], object]) -> None:
    """Somebody else may have deleted the row since we looked."""
    try:
        change()
    except (Group.DoesNotExist, Site.DoesNotExist) as error:
        raise Http404("It was deleted meanwhile.") from error


def _stored(form: ModelForm[Group] | ModelForm[Site], change: Callable[[], object]) -> bool:
    """Whether the change went in; why not stands at its field of the form."""
    try:
        _or_404(change)
    except EditRefused as refusal:
        form.add_error(refusal.field, str(refusal))
        return False
    return True


def _form_page(
    request: HttpRequest, form: ModelForm[Group] | ModelForm[Site], title: str, back: str
) -> HttpResponse:
    return render(request, "monitor/form.html", {"form": form, "title": title, "back": back})
