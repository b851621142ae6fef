from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import tokens
from accounts.errors import AccountError
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def make(user, *scopes: str, **more) -> tuple[ApiToken, str]:
    return tokens.create(user, "test", scopes or ("read",), **more)


def test_only_the_hash_is_kept(member) -> None:
    token, secret = make(member)
    token.refresh_from_db()
    assert len(secret) > 40
    assert token.prefix == secret[:8]
    assert secret not in "".join(str(value) for value in vars(token).values())
    assert tokens.find(secret, "read") == token


def test_secrets_differ(member) -> None:
    assert make(member)[1] != make(member)[1]


SCOPES = {
    "read opens read": (["read"], "read", True),
    "read opens no push": (["read"], "push", False),
    "push opens no read": (["push"], "read", False),
    "both open either": (["read", "push"], "push", True),
    "read opens no admin": (["read", "push"], "admin", False),
    "admin opens read": (["admin"], "read", True),
    "admin opens push": (["admin"], "push", True),
}


@pytest.mark.parametrize(("scopes", "wanted", "opens"), SCOPES.values(), ids=SCOPES)
def test_scopes(member, scopes, wanted, opens) -> None:
    _, secret = make(member, *scopes)
    assert (tokens.find(secret, wanted) is not None) == opens


@pytest.mark.parametrize("secret", ["", "dj_", "x" * 10_000, "\x00", "\ud800", "ÿ"])
def test_no_other_text_is_a_token(member, secret) -> None:
    make(member)
    assert tokens.find(secret, "read") is None


def test_a_token_works_until_it_expires(member) -> None:
    _, secret = make(member, expires=START)
    assert tokens.find(secret, "read", START - timedelta(seconds=1)) is not None
    assert tokens.find(secret, "read", START) is None


def test_a_revoked_token_is_dead(member) -> None:
    token, secret = make(member)
    assert tokens.revoke(member, token.pk) == token
    assert tokens.find(secret, "read") is None
    assert tokens.revoke(member, token.pk) is None


def test_nobody_revokes_anothers_token(member, staff) -> None:
    token, secret = make(member)
    assert tokens.revoke(staff, token.pk) is None
    assert tokens.find(secret, "read") is not None


def test_the_token_of_a_user_who_left_is_dead(member) -> None:
    _, secret = make(member)
    member.is_active = False
    member.save()
    assert tokens.find(secret, "read") is None


USES = {
    "the first is": (None, 0, 0),
    "soon after is not": (0, 59, 0),
    "a minute after is": (0, 60, 60),
}


@pytest.mark.parametrize(("before_s", "used_s", "noted_s"), USES.values(), ids=USES)
def test_use_is_noted_once_a_minute(member, before_s, used_s, noted_s) -> None:
    token, secret = make(member)
    if before_s is not None:
        tokens.find(secret, "read", START + timedelta(seconds=before_s))
    tokens.find(secret, "read", START + timedelta(seconds=used_s))
    token.refresh_from_db()
    assert token.last_used == START + timedelta(seconds=noted_s)


def test_reading_with_a_fresh_token_costs_one_query(member, django_assert_num_queries) -> None:
    _, secret = make(member)
    tokens.find(secret, "read")
    with django_assert_num_queries(1):
        tokens.find(secret, "read")


REFUSALS = {
    "unknown scope": ("test", ["write"], "'write' is no scope; there are read, push, admin"),
    "no scope": ("test", [], "a token needs a scope: read, push, admin"),
    "no name": ("  ", ["read"], "a token's name has 1 to 100 characters, this one has 0"),
    "long name": ("x" * 101, ["read"], "a token's name has 1 to 100 characters, this one has 101"),
}


@pytest.mark.parametrize(("name", "scopes", "why"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_refused(member, name, scopes, why) -> None:
    with pytest.raises(AccountError) as refusal:
        tokens.create(member, name, scopes)
    assert str(refusal.value) == why


def test_a_user_has_a_bounded_number_of_tokens(member, staff) -> None:
    for _ in range(tokens.MAX_USABLE):
        make(member)
    with pytest.raises(AccountError, match="50 tokens already; revoke one first"):
        make(member)
    make(staff)


def test_the_oldest_dead_tokens_are_forgotten(member) -> None:
    with time_machine.travel(START):
        lasting, _ = make(member)
    for _ in range(tokens.MAX_ROWS + 5):
        token, _ = make(member)
        tokens.revoke(member, token.pk)
    assert ApiToken.objects.filter(user=member).count() <= tokens.MAX_ROWS + 2
    assert tokens.usable(member, timezone.now()).get() == lasting
