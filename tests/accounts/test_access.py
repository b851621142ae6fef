from __future__ import annotations

import pytest
from django.test import Client

from accounts import tokens

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

LOGIN = 302


@pytest.fixture
def clients(staff_client, member_client, stranger_client) -> dict[str, Client]:
    return {"staff": staff_client, "member": member_client, "stranger": stranger_client}


CASES = [
    # who, path, status, status with PUBLIC_STATUS
    ("staff", "/page/", 200, 200),
    ("member", "/page/", 200, 200),
    ("stranger", "/page/", LOGIN, 200),
    ("staff", "/data.json", 200, 200),
    ("member", "/data.json", 200, 200),
    ("stranger", "/data.json", 401, 200),
    ("staff", "/staff/", 200, 200),
    ("member", "/staff/", 403, 403),
    ("stranger", "/staff/", LOGIN, LOGIN),
    ("stranger", "/staff.json", 401, 401),
    ("staff", "/user/", 200, 200),
    ("member", "/user/", 200, 200),
    ("stranger", "/user/", LOGIN, LOGIN),
]


@pytest.mark.parametrize(("who", "path", "private", "public"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_who_sees_what(clients, settings, who, path, private, public) -> None:  # noqa: PLR0917
    settings.PUBLIC_STATUS = False
    assert clients[who].get(path).status_code == private
    settings.PUBLIC_STATUS = True
    assert clients[who].get(path).status_code == public


@pytest.mark.parametrize(("path", "status"), [("/page/", LOGIN), ("/data.json", 401)])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_public_status_opens_nothing_that_writes(stranger_client, settings, method, path, status) -> None:
    settings.PUBLIC_STATUS = True
    assert stranger_client.generic(method, path).status_code == status


def test_the_login_comes_back_to_the_page_with_its_query(stranger_client) -> None:
    answer = stranger_client.get("/page/?page=2&q=a%20b")
    assert answer["Location"] == "/login/?next=/page/%3Fpage%3D2%26q%3Da%2520b"


def test_the_login_does_not_come_back_to_what_was_posted(stranger_client) -> None:
    assert stranger_client.post("/page/")["Location"] == "/login/?next=/"


def test_htmx_reloads_the_page_whose_login_ended(stranger_client) -> None:
    answer = stranger_client.get("/page/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize(
    ("scopes", "status"), [(["read"], 200), (["admin"], 200), (["push"], 403), (["push", "read"], 200)]
)
def test_a_token_opens_what_its_scopes_say(stranger_client, member, scopes, status) -> None:
    _, secret = tokens.create(member, "test", scopes)
    answer = stranger_client.get("/data.json", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == status


def test_a_request_with_a_token_is_its_users(stranger_client, member) -> None:
    _, secret = tokens.create(member, "test", ["read"])
    answer = stranger_client.get("/data.json", headers={"Authorization": f"bearer {secret}"})
    assert answer.content == b"hello mia-member"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Bearer", "Bearer \x00", "Bearer ÿ"])
@pytest.mark.parametrize("who", ["member", "stranger"])
def test_a_wrong_token_is_told_even_to_whoever_could_read(clients, settings, who, header) -> None:
    settings.PUBLIC_STATUS = True
    answer = clients[who].get("/data.json", headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "The token is unknown, expired or revoked."}


def test_a_proxys_own_password_is_no_token(member_client) -> None:
    assert member_client.get("/data.json", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_a_token_reads_and_does_not_write(stranger_client, staff) -> None:
    _, secret = tokens.create(staff, "test", ["admin"])
    answer = stranger_client.post("/data.json", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()) == (403, {"error": "A token cannot change anything here."})


def test_a_token_opens_no_page(stranger_client, member) -> None:
    _, secret = tokens.create(member, "test", ["read"])
    assert stranger_client.get("/page/", headers={"Authorization": f"Bearer {secret}"}).status_code == LOGIN


def test_staff_only_says_why_in_our_layout(member_client) -> None:
    page = member_client.get("/staff/").content.decode()
    assert "This is for staff." in page
    assert 'id="content"' in page
