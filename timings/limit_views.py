"""The pages of limits: the list, one with what was told of it, and the forms of staff."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import UserRequest, staff_only, user_only
from djamon.lib.commands import DjamonError
from scripts.my_shortcuts import paginate
from timings import limit_editing, limit_queries
from timings.addresses import path_of
from timings.limit_forms import LimitForm
from timings.models import Limit

LIMITS_PER_PAGE = 50
ALERTS_PER_PAGE = 20
NO_LIMIT = "There is no such limit (any more)."

form_methods = require_http_methods(["GET", "HEAD", "POST"])


# --- To read -------------------------------------------------------------------------------------
@require_safe
@user_only
def limits(request: HttpRequest) -> HttpResponse:
    """All limits, or with ``key`` those of a function."""
    key = request.GET.get("key", "")
    page = paginate(limit_queries.found(key), LIMITS_PER_PAGE, request.GET.get("page"))
    context = {
        "key": key,
        "page": page,
        "cards": limit_queries.cards(page),
        "add": _with_key("timings_limit_add", key),
        "function": path_of(key) if key else "",
    }
    return render(request, "timings/limits.html", context)


@require_safe
@user_only
def limit(request: HttpRequest, pk: int) -> HttpResponse:
    """One limit, with every attempt to tell of it."""
    found = _limit_or_404(pk)
    page = paginate(limit_queries.ledger(found), ALERTS_PER_PAGE, request.GET.get("page"))
    context = {"limit": found, "card": limit_queries.cards([found])[0], "page": page}
    return render(request, "timings/limit.html", context)


# --- To change -----------------------------------------------------------------------------------
@form_methods
@staff_only
def limit_add(request: UserRequest) -> HttpResponse:
    key = request.GET.get("key", "")
    form = LimitForm(request.POST or None, initial={"key": key})
    if form.is_valid() and _stored(
        form, lambda: limit_editing.add(form.instance, request.user.get_username(), timezone.now())
    ):
        _say(request, "The limit for <bdi>{}</bdi> is added. The next run judges it.", form.instance)
        return redirect(form.instance)
    return _form_page(request, form, "Add a limit", _with_key("timings_limits", key))


@form_methods
@staff_only
def limit_edit(request: UserRequest, pk: int) -> HttpResponse:
    found = limit_queries.find(pk)
    if found is None:
        return _gone(request)
    form = LimitForm(request.POST or None, instance=found)
    by, now = request.user.get_username(), timezone.now()
    try:
        saved = form.is_valid() and _stored(
            form, lambda: limit_editing.edit(found, form.changed_data, by, now)
        )
    except Limit.DoesNotExist:
        return _gone(request)
    if form.merged:
        fields = ", ".join(form.merged)
        notices.info(request, f"Somebody else has changed this meanwhile, and it stays so: {fields}.")
    if not saved:
        return _form_page(request, form, "Edit the limit", found.get_absolute_url())
    _say(request, "The limit for <bdi>{}</bdi> is saved.", found)
    return redirect(found)


@require_POST
@staff_only
def limit_pause(request: UserRequest, pk: int) -> HttpResponse:
    """``value`` says which it shall be, so that a second click changes nothing."""
    now = timezone.now()
    try:
        match request.POST.get("value"):
            case "pause":
                found = limit_editing.pause(pk, request.user.get_username(), now)
                _say(request, "The limit for <bdi>{}</bdi> is paused: it is not judged.", found)
            case "resume":
                found = limit_editing.resume(pk, now)
                _say(request, "The limit for <bdi>{}</bdi> is resumed. The next run judges it.", found)
            case _:
                return HttpResponseBadRequest("value: neither pause nor resume")
    except Limit.DoesNotExist as error:
        raise Http404(NO_LIMIT) from error
    return redirect(found)


@form_methods
@staff_only
def limit_delete(request: UserRequest, pk: int) -> HttpResponse:
    found = _limit_or_404(pk)
    if request.method == "POST":
        try:
            limit_editing.delete(pk, request.user.get_username(), timezone.now())
        except Limit.DoesNotExist as error:
            raise Http404(NO_LIMIT) from error
        notices.success(request, format_html("The limit for <bdi>{}</bdi> is deleted.", found.key))
        return redirect("timings_limits")
    context = {"limit": found, "card": limit_queries.cards([found])[0]}
    return render(request, "timings/limit_delete.html", context)


# --- What they share -----------------------------------------------------------------------------
def _limit_or_404(pk: int) -> Limit:
    found = limit_queries.find(pk)
    if found is None:
        raise Http404(NO_LIMIT)
    return found


def _with_key(url_name: str, key: str) -> str:
    return reverse(url_name) + (f"?{urlencode({'key': key})}" if key else "")


def _stored(form: LimitForm, change: Callable[[], object]) -> bool:
    """Whether the change went in; why not stands in the form."""
    try:
        change()
    except DjamonError as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _gone(request: HttpRequest) -> HttpResponse:
    """404; what somebody was editing when it was deleted can be added anew from there."""
    if request.method != "POST":
        raise Http404(NO_LIMIT)
    context = {
        "form": LimitForm(request.POST),
        "title": "The limit was deleted meanwhile",
        "note": "Nothing was saved. What you typed is kept here, to add it anew.",
        "action": reverse("timings_limit_add"),
        "button": "Add the limit anew",
        "back": reverse("timings_limits"),
    }
    return render(request, "timings/limit_form.html", context, status=404)


def _form_page(request: HttpRequest, form: LimitForm, title: str, back: str) -> HttpResponse:
    return render(request, "timings/limit_form.html", {"form": form, "title": title, "back": back})


def _say(request: HttpRequest, sentence: str, found: Limit) -> None:
    """Also whether anybody has sent such a key yet: a slip of the pen would never be told of."""
    notices.success(request, format_html(sentence, found.key))
    if found.enabled and not limit_queries.is_known(found):
        notices.warning(request, "Nothing has been heard of this function so far: is its key right?")
