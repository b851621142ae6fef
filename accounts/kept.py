"""What somebody sent from a form whose session had ended, kept until they have logged in again.

Nothing of it waits on the server: the login page carries it, signed, so that it can only lead to a path of
this site that was asked for. Nothing is sent again without a click. Passwords are never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts.forms import LoginForm
from djamon.lib.hooks import key_words

FIELD = "kept"  # the hidden field that carries it
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# The largest form of ours holds a file's text of 1 MB; signed, it stays below DATA_UPLOAD_MAX_MEMORY_SIZE.
MOST_BYTES = 1_200_000
# A working day: who comes back from lunch finds it still there.
MAX_AGE_S = 12 * 3600
SALT = "accounts.kept"
# Tokens of forms that have passed, and what a browser's buttons say of themselves, are no text of anybody's.
NEVER_KEPT = frozenset({"csrfmiddlewaretoken", FIELD})
NEVER_SHOWN = frozenset({"seen", "write"})


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields of a form in their order, where they were sent, and whether files came with them."""

    path: str
    fields: tuple[tuple[str, str], ...]
    files: bool = False

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What a person typed or chose, under words instead of names."""
        return [
            (name.replace("_", " "), _in_words(name, value))
            for name, value in self.fields
            if value and name not in NEVER_SHOWN and not name.startswith("initial-")
        ]


def _in_words(name: str, value: str) -> str:
    """A key is nothing that anybody typed: they chose the row that it stands for."""
    words = key_words.get(name)
    return (words and words(value)) or value


def of(request: HttpRequest) -> Kept | None:
    """What the request sends, or has been carrying since before; None where nothing can or need be kept."""
    if FIELD in request.POST:
        return read(request.POST[FIELD])
    # A field of exactly this name is a login.
    if request.method != "POST" or request.content_type not in FORMS or "password" in request.POST:
        return None
    fields = tuple(
        (name, value)
        for name, values in request.POST.lists()
        if name not in NEVER_KEPT and "password" not in name
        for value in values
        if isinstance(value, str)
    )
    size = sum(len(name) + len(value.encode("utf-8", "replace")) for name, value in fields)
    if size > MOST_BYTES or not (fields or request.FILES):
        return None
    return Kept(request.get_full_path(), fields, bool(request.FILES))


def read(signed: str) -> Kept | None:
    """What ``signed`` holds; None where it is not ours, or too old."""
    try:
        path, fields, files = signing.loads(signed, salt=SALT, max_age=MAX_AGE_S)
    except signing.BadSignature:
        return None
    return Kept(path, tuple((name, value) for name, value in fields), files)


def sign(kept: Kept) -> str:
    return signing.dumps([kept.path, kept.fields, kept.files], salt=SALT, compress=True)


def page(request: HttpRequest, kept: Kept, *, stale: bool = False) -> HttpResponse:
    """What was typed, to look at, with one button that sends it as whoever is logged in now.

    ``stale``: the form was refused for its old token, by somebody who is logged in.
    """
    context = {"kept": kept, "stale": stale}
    response = render(request, "accounts/kept.html", context, status=403 if stale else 200)
    add_never_cache_headers(response)
    return response


def login_page(request: HttpRequest, kept: Kept) -> HttpResponse:
    """The login instead of what was asked for, with what was typed."""
    context = {"form": LoginForm(request), "next": "/", "kept": sign(kept), "files": kept.files}
    response = render(request, "accounts/login.html", context, status=403)
    add_never_cache_headers(response)
    return response
