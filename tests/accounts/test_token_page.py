from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import ApiToken

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

FORM = {"name": "my script", "scopes": ["read"], "lifetime": ""}


def shown_secrets(page: str) -> list[str]:
    return re.findall(r'id="new-token">([^<]+)<', page)


def test_strangers_are_sent_to_the_login(stranger_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    assert stranger_client.get("/tokens/")["Location"] == "/login/?next=/tokens/"
    assert stranger_client.post("/tokens/", FORM).status_code == 403
    assert stranger_client.post("/tokens/1/revoke/").status_code == 302
    assert ApiToken.objects.count() == 0


def test_the_secret_is_shown_once(member_client, member) -> None:
    answer = member_client.post("/tokens/", FORM)
    (secret,) = shown_secrets(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert tokens.find(secret, "read") == ApiToken.objects.get(user=member)
    assert secret not in member_client.get("/tokens/").content.decode()


def test_the_page_lists_ones_own_tokens_alone(member_client, member, staff) -> None:
    mine, _ = tokens.create(member, "mine", ["read", "push"])
    tokens.create(staff, "somebody else's", ["read"])
    page = member_client.get("/tokens/").content.decode()
    assert f"<code>{mine.prefix}…</code>" in page
    assert "push, read" in page
    assert "somebody" not in page


def test_a_token_is_revoked(member_client, member) -> None:
    token, secret = tokens.create(member, "mine", ["read"])
    page = member_client.post(f"/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "Token mine is revoked." in page
    assert tokens.find(secret, "read") is None
    assert f"/tokens/{token.pk}/revoke/" not in page


def test_nobody_revokes_anothers(member_client, staff) -> None:
    token, secret = tokens.create(staff, "another's", ["read"])
    member_client.post(f"/tokens/{token.pk}/revoke/")
    assert tokens.find(secret, "read") is not None


def test_revoking_is_a_post(member_client, member) -> None:
    token, _ = tokens.create(member, "mine", ["read"])
    assert member_client.get(f"/tokens/{token.pk}/revoke/").status_code == 405


@pytest.mark.parametrize(("who", "created"), [("staff_client", 1), ("member_client", 0)])
def test_the_scope_admin_is_for_staff(request, who, created) -> None:
    client = request.getfixturevalue(who)
    client.post("/tokens/", {**FORM, "scopes": ["admin"]})
    assert ApiToken.objects.count() == created
    assert ('value="admin"' in client.get("/tokens/").content.decode()) == bool(created)


BAD = {
    "no name": {"name": ""},
    "blank name": {"name": "   "},
    "long name": {"name": "x" * 101},
    "no scope": {"scopes": []},
    "unknown scope": {"scopes": ["write"]},
    "unknown lifetime": {"lifetime": "1000000"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_bad_form_creates_nothing_and_says_where(member_client, change) -> None:
    page = member_client.post("/tokens/", FORM | change).content.decode()
    (field,) = change
    assert f'id="id_{field}_error"' in page
    assert (ApiToken.objects.count(), shown_secrets(page)) == (0, [])


def test_the_bound_is_told_at_the_form(member_client, member) -> None:
    for _ in range(tokens.MAX_USABLE):
        tokens.create(member, "one of many", ["read"])
    page = member_client.post("/tokens/", FORM).content.decode()
    assert "revoke one first" in page
    assert shown_secrets(page) == []


def test_a_lifetime_becomes_an_end(member_client) -> None:
    member_client.post("/tokens/", FORM | {"lifetime": "30"})
    token = ApiToken.objects.get()
    assert token.expires is not None
    assert (token.expires - token.created).days in (29, 30)


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_dead_tokens_are_marked(member_client, member, state) -> None:
    token, _ = tokens.create(member, "mine", ["read"])
    date = "revoked" if state == "revoked" else "expires"
    ApiToken.objects.filter(pk=token.pk).update(**{date: token.created})
    assert f">{state}<" in member_client.get("/tokens/").content.decode()


def test_a_name_is_text_and_no_markup(member_client, member) -> None:
    tokens.create(member, "<script>alert(1)</script>", ["read"])
    assert "<script>alert" not in member_client.get("/tokens/").content.decode()


def test_the_page_costs_the_same_however_many_tokens(member_client, member) -> None:
    costs = []
    for _ in range(2):
        for _ in range(10):
            tokens.create(member, "one of many", ["read"])
        with CaptureQueriesContext(connection) as queries:
            member_client.get("/tokens/")
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_admin_shows_and_deletes_tokens_and_makes_none(admin_client, member) -> None:
    token, _ = tokens.create(member, "an agent", ["read"])
    assert "an agent" in admin_client.get("/admin/accounts/apitoken/").content.decode()
    page = admin_client.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    assert token.sha256 not in page
    assert admin_client.get("/admin/accounts/apitoken/add/").status_code == 403
    admin_client.post(f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert not ApiToken.objects.exists()
