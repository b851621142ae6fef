"""Pages for staff who change one group or one site: a view tells monitor.editing, and says what became of it.

Nothing typed is lost: what is refused, or was changed or deleted by others meanwhile, comes back as a form.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import staff_only
from monitor import editing, queries
from monitor.errors import EditRefused
from monitor.forms import GroupForm, SiteForm
from monitor.models import Group, Site

form_methods = require_http_methods(["GET", "HEAD", "POST"])
FORMS: dict[str, type[GroupForm] | type[SiteForm]] = {"group": GroupForm, "site": SiteForm}
Gone = (Group.DoesNotExist, Site.DoesNotExist)


# --- Groups --------------------------------------------------------------------------------------
@form_methods
@staff_only
def group_add(request: HttpRequest) -> HttpResponse:
    form = GroupForm(request.POST or None)
    if form.is_valid() and _stored(form, lambda: editing.add_group(form.instance)):
        _say(request, "Group <bdi>{}</bdi> is added.", form.instance)
        return redirect(f"{reverse('site_add')}?group={form.instance.slug}")
    return _form_page(request, form, "Add a group", reverse("home"))


@form_methods
@staff_only
def group_edit(request: HttpRequest, slug: str) -> HttpResponse:
    group = queries.find_group(slug, insider=True)
    if group is None:
        return _gone(request, "group")
    form = GroupForm(request.POST or None, instance=group)
    return _edit_step(
        request, form, lambda: editing.edit_group(group, form.changed_data, form.initial), reverse("home")
    )


@form_methods
@staff_only
def group_delete(request: HttpRequest, slug: str, seconds: float = editing.DELETION_S) -> HttpResponse:
    """Asks before, and again after ``seconds`` of deleting whether to go on with the rest."""
    group = queries.find_group(slug, insider=True)
    if group is None:
        raise Http404("There is no such group (any more).")
    begun = request.method == "POST"
    if begun and _or_404(
        lambda: editing.delete_group(group.pk, timezone.now(), editing.out_of_patience(seconds))
    ):
        _say(request, "Group <bdi>{}</bdi> is deleted.", group)
        return redirect("home")
    context = {
        "what": "group",
        "name": group.name,
        "sites": group.sites.count(),
        "results": queries.views_in_words(group.sites.all()),
        "back": reverse("home"),
        "begun": begun,
    }
    return render(request, "monitor/confirm_delete.html", context)


# --- Sites ---------------------------------------------------------------------------------------
@form_methods
@staff_only
def site_add(request: HttpRequest) -> HttpResponse:
    if request.method != "POST" and not Group.objects.exists():
        messages.info(request, "Sites stand in groups: add the first group, then its sites.")
        return redirect("group_add")
    group = queries.find_group(request.GET.get("group", ""), insider=True)
    form = SiteForm(request.POST or None, initial={"group": group})
    if form.is_valid() and _stored(form, lambda: editing.add_site(form.instance)):
        _say(request, "Site <bdi>{}</bdi> is added. The next run asks it.", form.instance)
        return redirect(form.instance)
    return _form_page(request, form, "Add a site", reverse("home"))


@form_methods
@staff_only
def site_edit(request: HttpRequest, slug: str) -> HttpResponse:
    site = queries.find_site(slug, insider=True)
    if site is None:
        return _gone(request, "site")
    form = SiteForm(request.POST or None, instance=site)
    return _edit_step(
        request,
        form,
        lambda: editing.edit_site(site, form.changed_data, form.initial),
        site.get_absolute_url(),
    )


@require_POST
@staff_only
def site_pause(request: HttpRequest, slug: str) -> HttpResponse:
    """``value`` says which it shall be, so that a second click changes nothing."""
    site = _site_or_404(slug)
    match request.POST.get("value"):
        case "pause":
            _or_404(lambda: editing.pause_site(site.pk, timezone.now()))
            _say(request, "Site <bdi>{}</bdi> is paused: it is not asked until it is resumed.", site)
        case "resume":
            _or_404(lambda: editing.resume_site(site.pk, timezone.now()))
            _say(request, "Site <bdi>{}</bdi> is resumed. The next run asks it.", site)
        case _:
            return HttpResponseBadRequest("value: neither pause nor resume")
    return redirect(site)


@form_methods
@staff_only
def site_delete(request: HttpRequest, slug: str, seconds: float = editing.DELETION_S) -> HttpResponse:
    """Asks before, and again after ``seconds`` of deleting whether to go on with the rest."""
    site = _site_or_404(slug)
    begun = request.method == "POST"
    if begun and _or_404(
        lambda: editing.delete_site(site.pk, timezone.now(), editing.out_of_patience(seconds))
    ):
        _say(request, "Site <bdi>{}</bdi> is deleted.", site)
        return redirect("home")
    context = {
        "what": "site",
        "name": site.name,
        "results": queries.views_in_words([site.pk]),
        "back": site.get_absolute_url(),
        "begun": begun,
    }
    return render(request, "monitor/confirm_delete.html", context)


# --- What they share -----------------------------------------------------------------------------
def _site_or_404(slug: str) -> Site:
    site = queries.find_site(slug, insider=True)
    if site is None:
        raise Http404("There is no such site (any more).")
    return site


def _or_404(change: Callable[[], object]) -> object:
    """Somebody else may have deleted the row since we looked."""
    try:
        return change()
    except Gone as error:
        raise Http404("It was deleted meanwhile.") from error


def _edit_step(
    request: HttpRequest, form: GroupForm | SiteForm, save: Callable[[], None], back: str
) -> HttpResponse:
    """Show the form, or save it together with what others have changed since it was shown."""
    what = form.instance._meta.model_name or ""
    try:
        saved = form.is_valid() and _stored(form, save)
    except Gone:
        return _gone(request, what)
    if form.merged:
        fields = ", ".join(form.merged)
        messages.info(request, f"Somebody else has changed this meanwhile, and it stays so: {fields}.")
    if not saved:
        return _form_page(request, form, f"Edit the {what}", back)
    _say(request, f"{what.capitalize()} <bdi>{{}}</bdi> is saved.", form.instance)
    return redirect(back)


def _stored(form: GroupForm | SiteForm, change: Callable[[], object]) -> bool:
    """Whether the change went in; why not stands at its field of the form."""
    try:
        change()
    except EditRefused as refusal:
        form.add_error(refusal.field, str(refusal))
        return False
    return True


def _gone(request: HttpRequest, what: str) -> HttpResponse:
    """404; what somebody was editing when it was deleted can be copied from there, or added anew."""
    if request.method != "POST":
        raise Http404(f"There is no such {what} (any more).")
    context = {
        "form": FORMS[what](request.POST),
        "title": f"The {what} was deleted meanwhile",
        "note": "Nothing was saved. What you typed is kept here, to copy it or to add it anew.",
        "action": reverse(f"{what}_add"),
        "button": f"Add the {what} anew",
        "back": reverse("home"),
    }
    return render(request, "monitor/form.html", context, status=404)


def _form_page(request: HttpRequest, form: GroupForm | SiteForm, title: str, back: str) -> HttpResponse:
    return render(request, "monitor/form.html", {"form": form, "title": title, "back": back})


def _say(request: HttpRequest, sentence: str, row: Group | Site) -> None:
    """A name may run from right to left, or hold marks that would turn the sentence around it."""
    messages.success(request, format_html(sentence, row.name))
