"""Login, logout, password and tokens: shells over Django's auth and accounts.tokens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import kept, tokens
from accounts.access import UserRequest, user_only
from accounts.errors import AccountError
from accounts.forms import LoginForm, OwnPasswordForm, TokenForm
from accounts.models import ApiToken


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login_user(request: HttpRequest) -> HttpResponse:
    """The login page; ``next`` is followed on this host only, and what was typed before is carried along."""
    target = safe_next(request)
    carried = request.POST.get(kept.FIELD, "")
    typed = kept.read(carried)
    if request.user.is_authenticated:
        return _go_on(request, target, typed)
    # The page of a closed login leads back here without a name: that is no attempt.
    form = LoginForm(request, request.POST if "username" in request.POST else None)
    if form.is_valid():
        login(request, form.get_user())
        if carried and typed is None:
            messages.warning(request, "What you typed before could not be kept so long.")
        return _go_on(request, target, typed)
    context = {"form": form, "next": target, "kept": carried if typed else "", "files": typed and typed.files}
    return render(request, "accounts/login.html", context)


def _go_on(request: HttpRequest, target: str, typed: kept.Kept | None) -> HttpResponse:
    return kept.page(request, typed) if typed else redirect(target)


@require_POST
def logout_user(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")


def safe_next(request: HttpRequest) -> str:
    """Where ``next`` leads if that is on this host, else the first page."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    # Anything else would be taken for the name of a view, or for a page below /login/.
    whole = target.startswith(("/", "http://", "https://"))
    if whole and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return resolve_url("home")


class OwnPasswordView(PasswordChangeView):
    """A user's own new password; the other sessions of that user end."""

    form_class = OwnPasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("tokens")

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return response


@user_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens_page(request: UserRequest) -> HttpResponse:
    """The user's tokens and a form for another; the answer to that form alone shows its secret."""
    secret = None
    form = TokenForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        secret = _create(request, form)
        form = TokenForm(request.user) if secret else form
    rows = ApiToken.objects.filter(user=request.user)[: tokens.MAX_ROWS]
    return render(request, "accounts/tokens.html", {"form": form, "tokens": rows, "secret": secret})


def _create(request: UserRequest, form: TokenForm) -> str | None:
    """The new token's secret; None, and why at the form, where there cannot be another."""
    wanted = form.cleaned_data
    try:
        _, secret = tokens.create(
            request.user, wanted["name"], wanted["scopes"], expires=form.expires(timezone.now())
        )
    except AccountError as error:
        form.add_error(None, str(error))
        return None
    return secret


@user_only
@require_POST
def revoke_token(request: UserRequest, token_id: int) -> HttpResponse:
    token = tokens.revoke(request.user, token_id)
    if token is None:
        messages.info(request, "That token was revoked before.")
    else:
        messages.success(request, f"Token {token.name} is revoked.")
    return redirect("tokens")
