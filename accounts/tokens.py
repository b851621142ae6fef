"""Makes, finds and revokes API tokens; alone knows how a secret is hashed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.errors import AccountError
from accounts.models import ApiToken

MARK = "dj_"  # lets people and leak scanners know one where they see it
SECRET_BYTES = 32
PREFIX_LENGTH = 8
# A token that is used all the time costs one write in this time.
LAST_USED_STEP = timedelta(minutes=1)
# Bounds of one user's rows: those that work, and those kept for their history.
MAX_USABLE = 50
MAX_ROWS = 100
MAX_DAYS = 3650  # the longest life that can be asked for; without one it does not expire
MAX_NAME = 100


def create(
    user: User, name: str, scopes: Collection[str], *, expires: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which cannot be had again.

    Raises AccountError for a name that is empty or too long, an unknown scope, no scope, or a user who has
    MAX_USABLE tokens already.
    """
    now = timezone.now()
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise AccountError(f"a token's name has 1 to {MAX_NAME} characters, this one has {len(name)}")
    _check_scopes(scopes)
    if usable(user, now).count() >= MAX_USABLE:
        raise AccountError(f"{user} has {MAX_USABLE} tokens already; revoke one first")
    secret = MARK + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        sha256=digest(secret),
        scopes=sorted(set(scopes)),
        created=now,
        expires=expires,
    )
    _forget_oldest(user, now)
    return token, secret


def recognise(secret: str, now: datetime | None = None) -> ApiToken | None:
    """The usable token of an active user that has this secret, whatever it opens.

    The look-up compares hashes of 256 random bits, so its timing tells a guesser nothing to go on.
    """
    now = now or timezone.now()
    token = ApiToken.objects.select_related("user").filter(sha256=digest(secret)).first()
    if token is None or not token.user.is_active or not token.is_usable(now):
        return None
    _note_use(token, now)
    return token


def find(secret: str, scope: str, now: datetime | None = None) -> ApiToken | None:
    """As :func:`recognise`, and it must open ``scope``."""
    token = recognise(secret, now)
    return token if token is not None and token.allows(scope) else None


def revoke(user: User, token_id: int) -> ApiToken | None:
    """The user's token, revoked now; None where there is none of theirs, or it was revoked before."""
    mine = ApiToken.objects.filter(user=user, pk=token_id)
    if not mine.filter(revoked__isnull=True).update(revoked=timezone.now()):
        return None
    return mine.get()


def usable(user: User, now: datetime) -> QuerySet[ApiToken]:
    """The user's tokens that are neither revoked nor expired."""
    return ApiToken.objects.filter(_usable_at(now), user=user)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _usable_at(now: datetime) -> Q:
    return Q(revoked__isnull=True) & (Q(expires__isnull=True) | Q(expires__gt=now))


def _check_scopes(scopes: Collection[str]) -> None:
    known = ApiToken.Scope.values
    if not scopes:
        raise AccountError(f"a token needs a scope: {', '.join(known)}")
    for scope in scopes:
        if scope not in known:
            raise AccountError(f"{scope!r} is no scope; there are {', '.join(known)}")


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used is not None and now - token.last_used < LAST_USED_STEP:
        return
    stale = Q(last_used__isnull=True) | Q(last_used__lte=now - LAST_USED_STEP)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used=now)
    token.last_used = now


def _forget_oldest(user: User, now: datetime) -> None:
    kept = ApiToken.objects.filter(user=user).values_list("pk", flat=True)[:MAX_ROWS]
    ApiToken.objects.filter(user=user).exclude(_usable_at(now)).exclude(pk__in=list(kept)).delete()
