"""The pages of outages: the list, one of them as a time line, and the notes that staff write to it."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import UserRequest, page_reader, staff_only
from monitor import notes, outage_history, outage_queries
from monitor.marks import Subject
from monitor.models import OutageNote
from monitor.outage_forms import FilterForm, NoteForm
from monitor.parts import Context, LivePage, answer
from scripts.my_shortcuts import paginate

OUTAGES_PER_PAGE = 25
FALLS_PER_PAGE = 100
MOMENTS_PER_PAGE = 100

NO_OUTAGE = "There is no outage with this number."
NO_NOTE = "There is no such note (any more)."

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@page_reader
def outages(request: HttpRequest) -> HttpResponse:
    """The outages that match the filters of the query; a filter with a mistake says so and does not count."""
    page = LivePage("outages", _list(request), request.get_full_path())
    return answer(request, page, lambda frame: _of_list(request, frame.now))


def _of_list(request: HttpRequest, now: datetime) -> Context:
    insider = request.user.is_authenticated
    chosen = (request.GET.get("group", ""), request.GET.get("site", ""))
    form = FilterForm(request.GET, outage_queries.places(*chosen, insider=insider))
    filters = form.filters()
    page = paginate(
        outage_queries.outages(filters, insider=insider), OUTAGES_PER_PAGE, request.GET.get("page")
    )
    return {
        "form": form,
        "page": page,
        "found": f"{page.paginator.count:,} {'outage' if page.paginator.count == 1 else 'outages'}",
        "cards": outage_queries.outage_cards(page, filters, now, insider=insider),
    }


def _list(request: HttpRequest) -> Subject:
    return Subject("outages", "all", request.user.is_authenticated)


@require_safe
@page_reader
def outage(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One outage; without a number the one that is open, or a page that says that there is none.

    Who was told, and the notes, are for people with a login: they name addresses and colleagues.
    """
    insider = request.user.is_authenticated
    found = outage_queries.find_outage(pk, insider=insider)
    if found is not None:
        # By its number: what is written on the page must not go when another outage is the current one.
        address = found.get_absolute_url() + _asked(request)
        page = LivePage("outage", Subject("outage", str(found.pk), insider), address, is_personal=insider)
        return answer(request, page, lambda frame: _of_outage(request, found.pk, frame.now))
    if pk is not None:
        raise Http404(NO_OUTAGE)
    return answer(request, LivePage("no_outage", _list(request), request.get_full_path()), lambda _frame: {})


def _asked(request: HttpRequest) -> str:
    """The query as it stands in an address."""
    return f"?{request.GET.urlencode()}" if request.GET else ""


def _of_outage(request: HttpRequest, pk: int, now: datetime) -> Context:
    user = request.user if isinstance(request.user, User) else None
    insider = user is not None
    found = outage_queries.find_outage(pk, insider=insider)
    if found is None:
        raise Http404(NO_OUTAGE)
    falls = paginate(outage_queries.falls_in(found, insider=insider), FALLS_PER_PAGE, request.GET.get("page"))
    line = paginate(outage_history.moments(found, insider=insider), MOMENTS_PER_PAGE, request.GET.get("line"))
    return {
        "outage": found,
        "lasted": outage_queries.lasted(found, now),
        "figures": outage_history.figures(found, insider=insider),
        "told": outage_history.told(found) if insider else None,
        "line": line,
        "entries": outage_history.entries(found, line, now, user),
        "page": falls,
        "falls": outage_queries.fall_cards(falls, now),
        "note_form": NoteForm() if user is not None and user.is_staff else None,
    }


# --- Notes ---------------------------------------------------------------------------------------
@form_methods
@staff_only
def note_add(request: UserRequest, pk: int) -> HttpResponse:
    found = outage_queries.find_outage(pk, insider=True)
    if found is None:
        raise Http404("There is no outage with this number.")
    form = _typed(request)
    if form.is_valid():
        note = notes.add(found, request.user, form.cleaned_data["text"], timezone.now())
        messages.success(request, "The note is added.")
        return redirect(_place_of(note))
    return _form_page(request, form, f"A note to outage {found.pk}", found.get_absolute_url())


@form_methods
@staff_only
def note_edit(request: UserRequest, pk: int) -> HttpResponse:
    note = _find_note(pk)
    if note is None:
        return _gone(request)
    if not notes.may_edit(note, request.user):
        raise PermissionDenied("A note is edited by its author alone.")
    form = _typed(request, note.text)
    if form.is_valid():
        try:
            notes.edit(note, request.user, form.cleaned_data["text"], timezone.now())
        except OutageNote.DoesNotExist:
            return _gone(request)
        messages.success(request, "The note is saved.")
        return redirect(_place_of(note))
    return _form_page(request, form, "Edit the note", _place_of(note))


@form_methods
@staff_only
def note_delete(request: UserRequest, pk: int) -> HttpResponse:
    note = _find_note(pk)
    if note is None:
        raise Http404(NO_NOTE)
    if request.method == "POST":
        notes.delete(note, request.user)
        messages.success(request, "The note is deleted.")
        return redirect(note.outage)
    return render(request, "monitor/note_delete.html", {"note": note, "back": _place_of(note)})


def _typed(request: HttpRequest, before: str = "") -> NoteForm:
    return NoteForm(request.POST if request.method == "POST" else None, initial={"text": before})


def _find_note(pk: int) -> OutageNote | None:
    return OutageNote.objects.select_related("outage").filter(pk=pk).first()


def _gone(request: HttpRequest) -> HttpResponse:
    """404; what somebody was writing when the note was deleted can be copied from there."""
    if request.method != "POST":
        raise Http404(NO_NOTE)
    context = {
        "form": _typed(request),
        "title": "The note was deleted meanwhile",
        "note": "Nothing was saved. What you typed is kept here, to copy it into a new note.",
        "unsendable": True,
        "back": reverse("outages"),
    }
    return render(request, "monitor/form.html", context, status=404)


def _place_of(note: OutageNote) -> str:
    """The page of the time line on which the note stands, at the note."""
    before = outage_history.moments(note.outage, insider=True, until=note.created).count()
    number = max(1, -(-before // MOMENTS_PER_PAGE))
    return f"{reverse('outage', args=[note.outage_id])}?line={number}#note-{note.pk}"


def _form_page(request: HttpRequest, form: NoteForm, title: str, back: str) -> HttpResponse:
    return render(request, "monitor/form.html", {"form": form, "title": title, "back": back})
