"""The jobs page, "run now", /healthz and /metrics."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib import messages
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from accounts.access import UserRequest, staff_only, user_only
from jobs import health, launch, leases, metrics, queries
from jobs.models import Lease
from jobs.periodic import periodic_jobs
from jobs.recording import who_runs

log = logging.getLogger(__name__)


@require_safe
@never_cache
@user_only
def jobs(request: UserRequest) -> HttpResponse:
    """Every job; htmx asks for the list alone while something runs. Not public: messages may name sites."""
    now = timezone.now()
    _reap(now)
    histories = queries.histories(now)
    context = {
        "histories": histories,
        "others": queries.other_runs(),
        "live": "started" in request.GET or any(history.status.running for history in histories),
        "nothing_ever_ran": not any(history.runs for history in histories),
    }
    template = "jobs/_list.html" if request.headers.get("HX-Request") else "jobs/jobs.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _reap(now: datetime) -> None:
    try:
        leases.reap(now)
    except (DatabaseError, InterfaceError) as error:  # the page can be shown all the same
        log.warning("dead runs not marked: %s", error)


@require_POST
@staff_only
def run_now(request: UserRequest, name: str) -> HttpResponseBase:
    """Start the job beside the web process; 404 for a name that the table does not have."""
    job = next((job for job in periodic_jobs() if job.name == name), None)
    if job is None:
        raise Http404(f"there is no job {name}")
    lease = Lease.objects.filter(name=name).first()
    if lease and leases.is_live(lease, timezone.now()):
        messages.warning(request, f"{who_runs(name)}.")
        return redirect("jobs")
    try:
        launch.start_detached(job)
    except OSError as error:
        messages.error(request, f"“{job.title}” could not be started: {error}.")
        return redirect("jobs")
    messages.success(request, f"“{job.title}” is being started.")
    return redirect(f"{reverse('jobs')}?started={name}")


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while every part is alive, else 503; for other watchers, so without a login."""
    body = health.as_json(health.examine(timezone.now()))
    return JsonResponse(body, status=200 if body["status"] == "ok" else 503)


@require_safe
@never_cache
def metrics_text(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.exposition(timezone.now()), content_type=CONTENT_TYPE_LATEST)
