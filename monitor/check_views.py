"""Check now: a POST asks a site once and shows what was seen, as a page or as a piece of the site's page."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import UserRequest, staff_only
from monitor import checking, queries

TOO_MANY = 429
GONE = "The site has been deleted meanwhile."


@require_POST
@staff_only
def site_check(request: UserRequest, slug: str) -> HttpResponse:
    """Nothing is stored by it. htmx gets the piece alone, and with 200, as it shows nothing else."""
    site = queries.find_site(slug, insider=True)
    if site is None:
        if request.headers.get("HX-Request"):
            return render(request, "monitor/_check.html", {"refusal": GONE})
        raise Http404("There is no such site (any more).")
    with checking.places.take(request.user.pk) as refusal:
        done = None if refusal else checking.check(site)
    context = {"site": site, "check": done, "refusal": refusal, "now": timezone.now()}
    if request.headers.get("HX-Request"):
        return render(request, "monitor/_check.html", context)
    return render(request, "monitor/check.html", context, status=TOO_MANY if refusal else 200)
