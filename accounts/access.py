"""Who may see a view: the decorators that every view of every app carries.

PUBLIC_STATUS opens, to safe methods alone, what page_reader and json_reader mark.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts import kept, tokens
from accounts.models import ApiToken
from djamon.lib.negotiation import json_error, wants_json

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
UserView = Callable[Concatenate["UserRequest", P], HttpResponseBase]


class UserRequest(HttpRequest):
    """A request of somebody who is logged in: what staff_only and user_only hand on (for mypy)."""

    user: User


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def page_reader(view: View[P]) -> View[P]:
    """For readers: whoever is logged in; with PUBLIC_STATUS anybody, to look."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if _may_read(request):
            return view(request, *args, **kwargs)
        return ask_for_login(request)

    return guarded


def json_reader(view: View[P]) -> View[P]:
    """As page_reader, and for programs with a token of scope ``read``; refusals are JSON.

    401 without a login or with a token that does not work, 403 where the token does not open this.
    """
    return _json_guard(view, _may_read)


def json_user(view: View[P]) -> View[P]:
    """As json_reader, whether PUBLIC_STATUS is set or not."""
    return _json_guard(view, lambda request: request.user.is_authenticated)


def _json_guard(view: View[P], may_read: Callable[[HttpRequest], bool]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        secret = _bearer_secret(request)
        if secret is not None:
            refusal = _token_refusal(request, secret)
        else:
            refusal = None if may_read(request) else _unauthorized("Log in, or send a token of scope read.")
        return refusal or view(request, *args, **kwargs)

    return guarded


def staff_only(view: UserView[P]) -> View[P]:
    """For staff: others who are logged in get the 403 page, strangers the login."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return ask_for_login(request)
        if not request.user.is_staff:
            raise PermissionDenied("This is for staff.")
        return view(cast(UserRequest, request), *args, **kwargs)

    return guarded


def user_only(view: UserView[P]) -> View[P]:
    """For whoever is logged in, whether PUBLIC_STATUS is set or not."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(cast(UserRequest, request), *args, **kwargs)
        return ask_for_login(request)

    return guarded


def ask_for_login(request: HttpRequest) -> HttpResponseBase:
    """To the login page and back; JSON callers are told, and htmx reloads the page that it stands on.

    What was typed into a form is carried through the login (accounts.kept).
    """
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    if wants_json(request):
        return _unauthorized("Log in, or send a token.")
    if typed := kept.of(request):
        return kept.login_page(request, typed)
    if request.method in SAFE_METHODS:
        return redirect_to_login(request.get_full_path())
    # Only what can be asked again by a link is worth coming back to.
    messages.warning(request, "You are not logged in (any more), so nothing was changed.", fail_silently=True)
    return redirect_to_login("/")


def _may_read(request: HttpRequest) -> bool:
    return request.user.is_authenticated or (settings.PUBLIC_STATUS and request.method in SAFE_METHODS)


def _bearer_secret(request: HttpRequest) -> str | None:
    """What the request sends as its token; None where it sends none (``Basic`` may be a proxy's affair)."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _token_refusal(request: HttpRequest, secret: str) -> HttpResponse | None:
    """Why this token does not open the view; where it does, the request is its user's from here on."""
    token = tokens.recognise(secret)
    if token is None:
        return _unauthorized("The token is unknown, expired or revoked.")
    if not token.allows(ApiToken.Scope.READ):
        return json_error(403, "The token has no scope read.")
    if request.method not in SAFE_METHODS:
        return json_error(403, "A token cannot change anything here.")
    request.user = token.user
    return None


def _unauthorized(error: str) -> HttpResponse:
    response = json_error(401, error)
    response["WWW-Authenticate"] = "Bearer"
    return response
