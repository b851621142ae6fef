from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.streams import Reader, users_only, who_reads

pytestmark = pytest.mark.django_db


def scope(host: str = "localhost", **headers: str) -> dict[str, Any]:
    """A GET as uvicorn hands it on."""
    raw = [(b"host", host.encode("latin-1"))]
    raw += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": "/events/sites",
        "query_string": b"",
        "headers": raw,
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
    }


def cookie(client: Client) -> str:
    return f"sessionid={client.cookies['sessionid'].value}"


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["error"]


def test_staff_read_as_staff(staff, staff_client) -> None:
    assert who_reads(scope(cookie=cookie(staff_client))) == Reader("staff", staff.pk)


def test_a_member_reads_as_a_user(member, member_client) -> None:
    assert who_reads(scope(cookie=cookie(member_client))) == Reader("user", member.pk)


def test_a_stranger_reads_only_where_the_pages_are_public(db, settings) -> None:
    assert refusal(who_reads(scope())) == (401, "Log in, or send a token of scope read.")
    settings.PUBLIC_STATUS = True
    assert who_reads(scope()) == Reader("stranger")


def test_what_is_for_users_is_never_public(member, member_client, settings) -> None:
    settings.PUBLIC_STATUS = True
    assert refusal(users_only(who_reads(scope()))) == (401, "Log in, or send a token of scope read.")
    assert users_only(who_reads(scope(cookie=cookie(member_client)))) == Reader("user", member.pk)


@pytest.mark.parametrize("broken", ["sessionid=nonsense", "sessionid=", "sessionid=\xff; a", "csrftoken=x"])
def test_a_session_that_is_none_is_a_strangers(db, broken) -> None:
    assert refusal(who_reads(scope(cookie=broken)))[0] == 401


def test_a_session_that_has_ended_reads_no_more(member_client) -> None:
    sent = scope(cookie=cookie(member_client))
    member_client.logout()
    assert refusal(who_reads(sent))[0] == 401


def test_an_account_that_is_closed_reads_no_more(member, member_client) -> None:
    member.is_active = False
    member.save(update_fields=["is_active"])
    assert refusal(who_reads(scope(cookie=cookie(member_client))))[0] == 401


def test_a_token_reads_as_its_user(staff, member) -> None:
    for user, reader in ((staff, Reader("staff", staff.pk)), (member, Reader("user", member.pk))):
        _, secret = tokens.create(user, "wall", ["read"])
        assert who_reads(scope(authorization=f"Bearer {secret}")) == reader


@pytest.mark.parametrize(("scopes", "status"), [(["push"], 403), (["admin"], None)])
def test_a_token_needs_the_scope_read(member, scopes, status) -> None:
    _, secret = tokens.create(member, "wall", scopes)
    assert getattr(who_reads(scope(authorization=f"Bearer {secret}")), "status_code", None) == status


def test_a_token_that_is_revoked_reads_no_more(member) -> None:
    token, secret = tokens.create(member, "wall", ["read"])
    tokens.revoke(member, token.pk)
    refused = (401, "The token is unknown, expired or revoked.")
    assert refusal(who_reads(scope(authorization=f"Bearer {secret}"))) == refused


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "localhost:x"])
def test_a_foreign_host_is_refused_as_by_the_pages(member_client, host) -> None:
    answer: Any = who_reads(scope(host, cookie=cookie(member_client)))
    assert answer.status_code == 400


def test_a_query_that_is_no_text_is_refused(db) -> None:
    answer: Any = who_reads(scope() | {"query_string": b"tag=\xff"})
    assert answer.status_code == 400
