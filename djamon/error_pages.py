"""What is answered where a view does not answer: an error as a page in our layout, or as JSON."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts import kept
from djamon import __version__
from djamon.lib.negotiation import json_error, wants_json

TOO_LARGE = (
    f"A form takes at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20} MB of text, and this was more, so "
    "nothing was changed. Go back: what you typed mostly still stands there. Send it in parts; many sites go "
    "by a file, with “Import” or, up to 10 MB, by .venv/bin/python manage.py import_sites FILE."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, TOO_LARGE)
    reason = "The request cannot be understood."
    if isinstance(exception, DisallowedHost):
        reason = "This server does not answer to that host name; ALLOWED_HOSTS lists those that it does."
    return _answer(request, 400, reason)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, _words(exception) or "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  (Django passes it)
    """The form's token is missing or old: cookies are off, or the login changed in another tab.

    What was typed is kept, but only where the form was ours: another site's, under our name and with a button
    to send it, would need one click to do what the token is there to prevent.
    """
    typed = kept.of(request) if _sent_from_here(request) and not wants_json(request) else None
    if typed is None:
        return _answer(
            request, 403, "This form is out of date. Go back, load the page again and send it again."
        )
    return (
        kept.page(request, typed, stale=True) if _is_logged_in(request) else kept.login_page(request, typed)
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, _words(exception) or "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database or the session: either may be what failed."""
    reason = "Something went wrong on our side. It is in the log."
    if wants_json(request):
        return json_error(500, reason)
    page = render_to_string("500.html", {"reason": reason, "version": __version__})
    return HttpResponse(page, status=500)


def _sent_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent it: no page of another can make it say so."""
    own = f"{request.scheme}://{request.get_host()}"
    origin = request.headers.get("Origin")
    by_origin = origin == own or origin in settings.CSRF_TRUSTED_ORIGINS
    return by_origin or request.headers.get("Sec-Fetch-Site") == "same-origin"


def _is_logged_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _answer(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    if wants_json(request):
        return json_error(status, reason)
    return render(request, f"{status}.html", {"reason": reason}, status=status)


def _words(exception: Exception) -> str:
    """The sentence that a view gave; the resolver of URLs gives none, but a dict of what it tried."""
    first = exception.args[0] if exception.args else ""
    return first if isinstance(first, str) else ""
