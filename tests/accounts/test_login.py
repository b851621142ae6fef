from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

WRONG = "User name or password is wrong."


def log_in(client: Client, name: str = "mia-member", password: str = "a long password", **more: str):
    return client.post("/login/", {"username": name, "password": password, **more})


def test_the_right_password_leads_to_the_first_page(client, member) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").content == b"hello mia-member"


NEXT = {
    "a page": ("/tokens/", "/tokens/"),
    "a page with a query": ("/outages/?page=2", "/outages/?page=2"),
    "this host": ("http://testserver/tokens/", "http://testserver/tokens/"),
    "another host": ("http://evil.example/", "/"),
    "without a scheme": ("//evil.example/", "/"),
    "three slashes": ("///evil.example/", "/"),
    "backslashes": ("\\\\evil.example", "/"),
    "slash and backslash": ("/\\evil.example", "/"),
    "a script": ("javascript:alert(1)", "/"),
    "data": ("data:text/html,hello", "/"),
    "this host as the user": ("http://testserver@evil.example/", "/"),
    "a line break": ("/\n/evil.example", "/"),
    "a control character": ("\x08//evil.example", "/"),
    "no address at all": ("-1", "/"),
    "the name of a view": ("tokens", "/"),
    "nothing": ("", "/"),
}


@pytest.mark.parametrize(("asked", "followed"), NEXT.values(), ids=NEXT)
def test_next_is_followed_on_this_host_only(client, member, asked, followed) -> None:
    assert log_in(client, next=asked)["Location"] == followed


@pytest.mark.parametrize(("asked", "followed"), NEXT.values(), ids=NEXT)
def test_whoever_is_logged_in_goes_on_at_once(member_client, asked, followed) -> None:
    assert member_client.get("/login/", {"next": asked})["Location"] == followed


def test_next_is_kept_over_a_wrong_login(client, member) -> None:
    page = log_in(client, password="wrong", next="/tokens/").content.decode()
    assert '<input type="hidden" name="next" value="/tokens/">' in page


@pytest.mark.parametrize("name", ["mia-member", "nobody", "left"])
def test_every_wrong_login_gets_the_same_sentence(client, member, name) -> None:
    User.objects.create_user("left", password="a long password", is_active=False)
    answer = log_in(client, name, "wrong" if name == "mia-member" else "a long password")
    page = answer.content.decode()
    assert (answer.status_code, page.count(WRONG), "_auth_user_id" in client.session) == (200, 1, False)


@pytest.mark.parametrize(
    "name", ["", "x" * 151, "a\x00b", "ｍia-member\u200b"], ids=["empty", "long", "nul", "odd"]
)
def test_a_name_that_cannot_be_is_refused_calmly(client, member, name) -> None:
    assert log_in(client, name).status_code == 200


def test_the_session_changes_with_the_login(client, member) -> None:
    client.get("/login/")
    session = client.session
    session["before"] = 1
    session.save()
    log_in(client)
    assert client.session.session_key != session.session_key


def test_a_login_without_our_form_is_refused_in_our_layout(member) -> None:
    answer = log_in(Client(enforce_csrf_checks=True))
    page = answer.content.decode()
    assert (answer.status_code, "This form is out of date." in page) == (403, True)
    assert 'id="content"' in page


def test_the_login_page_is_not_cached(client) -> None:
    assert "no-store" in client.get("/login/")["Cache-Control"]


def test_logout_is_a_post(member_client) -> None:
    assert member_client.get("/logout/").status_code == 405
    assert member_client.get("/user/").status_code == 200
    assert member_client.post("/logout/")["Location"] == "/login/"
    assert member_client.get("/user/").status_code == 302


def test_a_user_changes_the_password(member_client, member) -> None:
    new = "quite another password"
    form = {"old_password": "a long password", "new_password1": new, "new_password2": new}
    assert member_client.post("/password/", form)["Location"] == "/tokens/"
    member.refresh_from_db()
    assert member.check_password(new)
    assert "Your password is changed." in member_client.get("/tokens/").content.decode()


def test_a_weak_password_is_refused_at_its_field(member_client) -> None:
    form = {"old_password": "a long password", "new_password1": "12345678", "new_password2": "12345678"}
    page = member_client.post("/password/", form).content.decode()
    assert 'id="id_new_password2_error"' in page
    assert 'aria-invalid="true"' in page


def test_the_password_page_needs_a_login(stranger_client) -> None:
    assert stranger_client.get("/password/")["Location"] == "/login/?next=/password/"


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:8000", 302), ("https://127.0.0.1:8000", 403), ("https://evil.example", 403)],
    ids=["SITE_URL", "another scheme", "another host"],
)
def test_a_login_may_come_from_the_address_that_a_proxy_serves(member, origin, status) -> None:
    client = Client(enforce_csrf_checks=True, HTTP_ORIGIN=origin)
    token = client.get("/login/").context["csrf_token"]
    assert log_in(client, csrfmiddlewaretoken=str(token)).status_code == status
