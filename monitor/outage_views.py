"""The pages of outages: the list, and one of them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import page_reader
from alerts.queries import alerts_about
from monitor import outage_queries
from monitor.messages import reference
from scripts.my_shortcuts import paginate

OUTAGES_PER_PAGE = 25
FALLS_PER_PAGE = 100


@require_safe
@page_reader
def outages(request: HttpRequest) -> HttpResponse:
    page = paginate(outage_queries.outages(), OUTAGES_PER_PAGE, request.GET.get("page"))
    cards = outage_queries.outage_cards(page, timezone.now(), insider=request.user.is_authenticated)
    return render(request, "monitor/outages.html", {"page": page, "cards": cards})


@require_safe
@page_reader
def outage(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One outage; without a number the one that is open, or a page that says that there is none.

    Who was told is for people with a login: it names their addresses.
    """
    found = outage_queries.find_outage(pk)
    if found is None:
        if pk is not None:
            raise Http404("There is no outage with this number.")
        return render(request, "monitor/no_outage.html")
    now, insider = timezone.now(), request.user.is_authenticated
    page = paginate(outage_queries.falls_in(found), FALLS_PER_PAGE, request.GET.get("page"))
    context = {
        "outage": found,
        "lasted": outage_queries.lasted(found, now),
        "page": page,
        "falls": outage_queries.fall_cards(page, now, insider=insider),
        "alerts": alerts_about(reference(found.pk)) if insider else None,
    }
    return render(request, "monitor/outage.html", context)
