from __future__ import annotations

import re
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from accounts import tokens
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def printed_password(text: str) -> str:
    (password,) = re.findall(r"password  +(\S+)\n", text)
    return str(password)


def test_create_token_prints_the_secret_as_its_last_word(member) -> None:
    line = run("create_token", "mia-member", "--scope", "read", "--scope", "push", "--name", "agent")
    token = ApiToken.objects.get()
    assert tokens.find(line.split()[-1], "push") == token
    assert (line.count("\n"), token.user, token.name) == (1, member, "agent")
    assert token.scopes == ["push", "read"]
    assert token.expires is None


def test_create_token_gives_it_an_end(member) -> None:
    run("create_token", "mia-member", "--scope", "read", "--days", "3")
    token = ApiToken.objects.get()
    assert token.expires is not None
    assert (token.expires - token.created).days in (2, 3)


REFUSALS = {
    "unknown user": (["nobody", "--scope", "read"], "create_token: there is no user 'nobody'"),
    "user who left": (["left", "--scope", "read"], "create_token: left is not active"),
    "unknown scope": (
        ["mia-member", "--scope", "write"],
        "create_token: 'write' is no scope; there are read",
    ),
    "no scope": (["mia-member"], "create_token: a token needs a scope"),
    "no life": (["mia-member", "--scope", "read", "--days", "0"], "create_token: --days: 0 is not between 1"),
    "endless life": (["mia-member", "--scope", "read", "--days", "99999999999"], "is not between 1 and 3650"),
}


@pytest.mark.parametrize(("words", "why"), REFUSALS.values(), ids=REFUSALS)
def test_create_token_refuses_in_one_line(member, words, why) -> None:
    User.objects.create_user("left", is_active=False)
    with pytest.raises(CommandError, match=re.escape(why)) as refusal:
        run("create_token", *words)
    assert (refusal.value.returncode, str(refusal.value).count("\n")) == (1, 0)


def test_first_user_may_do_everything_with_the_password_that_is_printed() -> None:
    text = run("first_user", "--username", "olga")
    request = RequestFactory().post("/login/")
    user = User.objects.get()
    assert authenticate(request, username="olga", password=printed_password(text)) == user
    assert (user.is_superuser, user.is_staff) == (True, True)
    assert re.search(r"user +olga\n", text)


def test_first_user_leaves_an_installation_with_users_alone(member) -> None:
    assert run("first_user") == ""
    assert User.objects.get() == member


def test_each_first_password_is_another() -> None:
    assert len({printed_password(_fresh()) for _ in range(3)}) == 3


def _fresh() -> str:
    User.objects.all().delete()
    return run("first_user")


@pytest.mark.parametrize("name", ["", "two words", "x" * 151])
def test_first_user_refuses_a_name_that_cannot_be(name) -> None:
    with pytest.raises(CommandError, match="cannot be a user name"):
        run("first_user", "--username", name)
    assert User.objects.count() == 0
