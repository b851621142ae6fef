"""Pages for staff who change many sites at once: add by lines, import a file, pause, resume and delete.

Adding is two steps on one page: a POST shows what each row will do, a POST with ``write`` does it, provided
that it still is what was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import staff_only
from monitor import bulk, bulk_queries, editing, queries
from monitor.bulk import Action, Outcome, Preview, Result
from monitor.bulk_forms import ALL_OR_NOTHING, SKIP_BAD, FileForm, FilterForm, LinesForm, TextForm
from monitor.importing import Plan
from monitor.models import Site
from scripts.my_shortcuts import paginate

form_methods = require_http_methods(["GET", "HEAD", "POST"])

ROWS_SHOWN = 500  # of a file's preview, the refused ones first
SITES_PER_PAGE = 100
# Two statements with a number for each: SQLite takes 32,766.
MOST_AT_ONCE = 10_000
LARGEST_ID = 2**63 - 1


# --- Adding --------------------------------------------------------------------------------------
@form_methods
@staff_only
def sites_add(request: HttpRequest) -> HttpResponse:
    """Paste lines; see what becomes of each; add."""
    if request.method != "POST":
        group = queries.find_group(request.GET.get("group", ""), insider=True)
        return _lines_page(request, LinesForm(initial={"group": group}))
    form = LinesForm(request.POST)
    if not form.is_valid():
        return _lines_page(request, form)
    parsed = bulk.parse_lines(form.cleaned_data["lines"], form.cleaned_data["group_name"])
    if "write" not in request.POST:
        return _lines_page(request, form, bulk.preview(parsed))
    done = bulk.carry_out(parsed, request.POST.get("seen", ""), skip_bad=True)
    if done.plan is None:
        return _lines_page(request, form, _changed(request, done))
    _say_added(request, done.plan)
    return _lines_left(request, form, done.preview) if done.preview.refused else redirect("home")


def _lines_left(request: HttpRequest, form: LinesForm, done: Preview) -> HttpResponse:
    """The page again with the refused lines alone, and why they are refused now."""
    name = form.cleaned_data["group_name"]
    handled = (row.line for row in done.rows if row.action is not Action.REFUSE)
    left = bulk.without_lines(form.cleaned_data["lines"], handled)
    group = bulk_queries.group_named(name)
    again = LinesForm({"lines": left, "group": group.pk if group else "", "new_group": "" if group else name})
    return _lines_page(request, again, bulk.preview(bulk.parse_lines(left, name)), left=True)


def _lines_page(
    request: HttpRequest, form: LinesForm, preview: Preview | None = None, *, left: bool = False
) -> HttpResponse:
    """``left``: what the preview shows was left over when the rest was written."""
    rows = _with_namesakes(preview.rows) if preview else []
    context = {"form": form, "preview": preview, "rows": rows, "left": left and preview and not preview.added}
    return render(request, "monitor/bulk_add.html", context)


def _with_namesakes(rows: Sequence[Outcome]) -> list[tuple[Outcome, str]]:
    """Each row with the name under which its URL is watched already; empty for all that is not added."""
    known = bulk_queries.watched_as([row.url for row in rows if row.action is Action.ADD])
    return [(row, known.get(row.url, "") if row.action is Action.ADD else "") for row in rows]


# --- Importing -----------------------------------------------------------------------------------
@form_methods
@staff_only
def sites_import(request: HttpRequest) -> HttpResponse:
    """Upload a CSV file; see what each row will do; import."""
    if request.method != "POST":
        return render(request, "monitor/import_file.html", {"form": FileForm()})
    if "text" not in request.POST:
        file_form = FileForm(request.POST, request.FILES)
        if not file_form.is_valid():
            return render(request, "monitor/import_file.html", {"form": file_form})
        form = TextForm({"text": file_form.cleaned_data["file"], "bad_rows": ALL_OR_NOTHING})
    else:
        form = TextForm(request.POST)
    return _import_step(request, form)


def _import_step(request: HttpRequest, form: TextForm) -> HttpResponse:
    if not form.is_valid():
        return _import_page(request, form, None)
    parsed = form.cleaned_data["text"]
    if "write" not in request.POST:
        return _import_page(request, form, bulk.preview(parsed))
    skip_bad = form.cleaned_data["bad_rows"] == SKIP_BAD
    seen = request.POST.get("seen", "")
    done = bulk.carry_out(parsed, seen, skip_bad=skip_bad)
    if done.plan is not None:
        _say_added(request, done.plan)
        return redirect("home")
    if done.preview.fingerprint == seen and done.preview.refused and not skip_bad:
        form.add_error("bad_rows", _all_or_nothing(done.preview))
        return _import_page(request, form, done.preview)
    return _import_page(request, form, _changed(request, done))


def _all_or_nothing(preview: Preview) -> str:
    rows = "1 row is" if preview.refused == 1 else f"{preview.refused:,} rows are"
    return f"Nothing was written: {rows} refused. Correct the text, or skip them."


def _import_page(request: HttpRequest, form: TextForm, preview: Preview | None) -> HttpResponse:
    rows = preview.worst_first() if preview else []
    shown, more = rows[:ROWS_SHOWN], len(rows[ROWS_SHOWN:])
    context = {"form": form, "preview": preview, "rows": _with_namesakes(shown), "more": more}
    return render(request, "monitor/import_preview.html", context)


def _changed(request: HttpRequest, done: Result) -> Preview:
    messages.warning(request, "Something has changed since the preview, so nothing was written. Look again.")
    return done.preview


def _say_added(request: HttpRequest, plan: Plan) -> None:
    count = len(plan.sites)
    words = (
        "1 site is added. The next run asks it."
        if count == 1
        else f"{count:,} sites are added. The next run asks them."
    )
    messages.success(request, words if count else "Nothing was to be added.")


# --- Managing ------------------------------------------------------------------------------------
@form_methods
@staff_only
def sites_manage(request: HttpRequest) -> HttpResponse:
    """All sites to choose from; a POST pauses or resumes the chosen, or asks whether to delete them."""
    form = FilterForm(request.GET)
    sites = _matching(form)
    if request.method == "POST":
        return _act(request, sites)
    page = paginate(sites, SITES_PER_PAGE, request.GET.get("page"))
    now = timezone.now()
    context = {
        "form": form,
        "page": page,
        "cards": bulk_queries.cards(page, now),
        "now": now,
        "total": page.paginator.count,
        "filtered": form.has_changed(),
    }
    return render(request, "monitor/bulk_manage.html", context)


@require_POST
@staff_only
def sites_delete(request: HttpRequest, seconds: float = editing.DELETION_S) -> HttpResponse:
    """Delete what the page before asked about; after ``seconds`` it asks whether to go on with the rest."""
    ids = _ids(request.POST.get("sites", "").split(","))
    enough = editing.out_of_patience(seconds)
    left = editing.delete_sites(ids[:MOST_AT_ONCE], timezone.now(), enough)
    if left:
        return _delete_page(request, left, begun=True)
    messages.success(request, "The sites are deleted.")
    return _back(request)


def _matching(form: FilterForm) -> QuerySet[Site]:
    if not form.is_valid():
        return Site.objects.none()
    words, group, state = (form.cleaned_data[name] for name in ("q", "group", "state"))
    return bulk_queries.matching(words, group, state)


def _act(request: HttpRequest, matching: QuerySet[Site]) -> HttpResponse:
    ids = (
        list(matching.values_list("pk", flat=True))
        if "all" in request.POST
        else _ids(request.POST.getlist("site"))
    )
    action = request.POST.get("action")
    if action not in {"pause", "resume", "delete"}:
        return HttpResponseBadRequest("action: neither pause, resume nor delete")
    if not ids:
        messages.error(request, "No site is chosen: tick the sites first.")
        return _back(request)
    if len(ids) > MOST_AT_ONCE:
        messages.error(request, f"At most {MOST_AT_ONCE:,} sites at a time; these are {len(ids):,}.")
        return _back(request)
    if action == "delete":
        return _delete_page(request, ids)
    change = editing.pause_sites if action == "pause" else editing.resume_sites
    messages.success(request, _changed_sentence(change(ids, timezone.now()), len(ids), f"{action}d"))
    return _back(request)


def _changed_sentence(changed: int, chosen: int, word: str) -> str:
    """``3 sites are paused; the other 2 needed no change.``"""
    if not changed:
        return f"Nothing to change: what was chosen is {word} already."
    first = f"{changed:,} {'site is' if changed == 1 else 'sites are'} {word}"
    others = chosen - changed
    return f"{first}; the other {others:,} needed no change." if others else f"{first}."


def _delete_page(request: HttpRequest, ids: list[int], *, begun: bool = False) -> HttpResponse:
    context = {"chosen": bulk_queries.chosen(ids), "ids": ",".join(map(str, ids)), "begun": begun}
    return render(request, "monitor/bulk_delete.html", context)


def _back(request: HttpRequest) -> HttpResponse:
    """To the list as it was filtered."""
    response = redirect("sites_manage")
    query = request.GET.urlencode()
    response["Location"] += f"?{query}" if query else ""
    return response


def _ids(words: Iterable[str]) -> list[int]:
    """The numbers among ``words``; others are none of our making."""
    numbers = {int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 20}
    return sorted(number for number in numbers if number <= LARGEST_ID)
