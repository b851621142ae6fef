"""Nothing typed is lost where a session ends, or a login changes, while a form is open."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from accounts import kept
from accounts.kept import Kept

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

TYPED = {"name": 'Shop <b>"مرحبا"</b>', "lines": "one\r\ntwo 🚀\r\n", "empty": ""}
RIGHT = {"username": "mia-member", "password": "a long password"}
PATH = "/user/?page=2&q=a%20b"


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page as a browser sends them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def text(response) -> str:
    return str(response.content.decode())


def carried(client: Client, data: object = None, path: str = PATH) -> str:
    """What the login page carries after this form was sent by a stranger."""
    return hidden(text(client.post(path, data or TYPED)))["kept"]


def test_a_form_whose_session_had_ended_comes_back_after_the_login(client, member) -> None:
    asked = client.post(PATH, TYPED)
    assert (asked.status_code, "no-store" in asked["Cache-Control"]) == (403, True)
    page = client.post("/login/", RIGHT | hidden(text(asked)))
    assert page.status_code == 200
    assert "What you typed is kept. Nothing has been sent yet." in text(page)
    assert 'action="/user/?page=2&amp;q=a%20b"' in text(page)
    assert "<bdi>mia-member</bdi>" in text(page)
    assert hidden(text(page)) == TYPED
    assert "<b>" not in text(page)


def test_it_is_sent_with_a_fresh_token(member) -> None:
    client = Client(enforce_csrf_checks=True)
    token = str(client.get("/login/").context["csrf_token"])
    asked = client.post("/user/", TYPED | {"csrfmiddlewaretoken": token})
    fields = hidden(text(asked)) | {"csrfmiddlewaretoken": str(asked.context["csrf_token"])}
    page = client.post("/login/", RIGHT | fields)
    fields = hidden(text(page)) | {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    assert text(client.post("/user/", fields)) == "hello mia-member"


def test_a_wrong_password_keeps_it(client, member) -> None:
    again = client.post("/login/", RIGHT | {"password": "wrong", "kept": carried(client)})
    assert "What you typed is kept" in text(again)
    assert hidden(text(client.post("/login/", RIGHT | hidden(text(again))))) == TYPED


def test_a_closed_login_keeps_it(client, member) -> None:
    wrong = RIGHT | {"password": "wrong", "kept": carried(client)}
    closed = [client.post("/login/", wrong) for _ in range(5)][-1]
    assert (closed.status_code, "leave this page open" in text(closed)) == (429, True)
    back = client.post("/login/", hidden(text(closed)))
    assert (back.status_code, "What you typed is kept" in text(back)) == (200, True)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        assert hidden(text(client.post("/login/", RIGHT | hidden(text(back))))) == TYPED


def test_whoever_logged_in_meanwhile_sees_it_at_once(client, member) -> None:
    value = carried(client)
    client.force_login(member)
    assert hidden(text(client.post("/login/", {"kept": value}))) == TYPED


def test_it_is_kept_for_a_working_day(client, member) -> None:
    value = carried(client)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=12, minutes=1)):
        answer = client.post("/login/", RIGHT | {"kept": value}, follow=True)
        assert answer.redirect_chain == [("/", 302)]
    assert kept.read(value) is not None


@pytest.mark.parametrize("value", ["", "x", "x:y:z", ".eJx:1:x"])
def test_what_is_not_ours_leads_nowhere(client, member, value) -> None:
    assert client.post("/login/", RIGHT | {"kept": value})["Location"] == "/"


def test_a_changed_path_leads_nowhere(client, member) -> None:
    body, rest = carried(client).split(":", 1)
    assert client.post("/login/", RIGHT | {"kept": f"{body[:-2]}AA:{rest}"})["Location"] == "/"


def test_passwords_and_tokens_are_never_kept(client) -> None:
    secrets = {"csrfmiddlewaretoken": "t", "old_password": "p", "new_password1": "q"}
    found = kept.read(carried(client, TYPED | secrets))
    assert found is not None
    assert dict(found.fields) == TYPED


def test_a_login_is_no_form_to_keep() -> None:
    assert kept.of(RequestFactory().post("/admin/login/", {"username": "x", "password": "y"})) is None


def test_a_thousand_pasted_lines_fit(client, member, settings) -> None:
    lines = "\r\n".join(
        f"Ünïcode {number} 日本, https://x{hash(str(number))}.example/" for number in range(1000)
    )
    page = client.post("/login/", RIGHT | {"kept": carried(client, {"lines": lines})})
    assert hidden(text(page)) == {"lines": lines}


def test_the_largest_that_is_kept_fits_into_one_request(client) -> None:
    noise = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(kept.MOST_BYTES // 3 - 10))
    assert len(kept.sign(Kept("/", (("text", noise),)))) < 2_500_000
    assert "logged in" in text(client.post(PATH, {"text": noise}))


def test_what_is_too_large_is_not_kept(client) -> None:
    answer = client.post(PATH, {"text": "x" * (kept.MOST_BYTES + 1)}, follow=True)
    assert answer.redirect_chain == [("/login/?next=/", 302)]
    assert "so nothing was changed" in text(answer)


def test_a_file_must_be_chosen_again(client, member) -> None:
    asked = client.post("/user/", {"file": SimpleUploadedFile("sites.csv", b"x")})
    assert "choose the file again" in text(asked)
    page = text(client.post("/login/", RIGHT | hidden(text(asked))))
    assert "it must be chosen again" in page
    assert '<a class="btn btn-primary" href="/user/">' in page


def test_programs_get_no_login_page(client) -> None:
    answer = client.post("/staff.json", TYPED)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/json")


# --- A login that changed in another tab ---------------------------------------------------------
FROM_HERE = [{"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}]
FROM_ELSEWHERE = [
    {},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.fixture
def careful(member) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    return client


@pytest.mark.parametrize("headers", FROM_HERE, ids=str)
def test_a_form_with_an_old_token_comes_back(careful, headers) -> None:
    answer = careful.post("/user/", TYPED | {"csrfmiddlewaretoken": "x" * 64}, headers=headers)
    assert (answer.status_code, hidden(text(answer))) == (403, TYPED)
    assert "The login has changed" in text(answer)
    fresh = {"csrfmiddlewaretoken": str(answer.context["csrf_token"])}
    assert text(careful.post("/user/", TYPED | fresh)) == "hello mia-member"


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
def test_another_sites_form_gets_no_button_of_ours(careful, headers) -> None:
    answer = careful.post("/user/", TYPED, headers=headers)
    assert (answer.status_code, hidden(text(answer))) == (403, {})
    assert "This form is out of date." in text(answer)


def test_an_old_token_and_no_session_ask_for_the_login(member) -> None:
    answer = Client(enforce_csrf_checks=True).post("/user/", TYPED, headers=FROM_HERE[0])
    found = kept.read(hidden(text(answer))["kept"])
    assert (answer.status_code, found and found.path) == (403, "/user/")


def test_a_login_page_with_an_old_token_still_carries_it(careful) -> None:
    value = carried(Client())
    answer = careful.post("/login/", RIGHT | {"kept": value}, headers=FROM_HERE[0])
    assert hidden(text(answer)) == TYPED


def test_a_lost_logout_offers_nothing(careful) -> None:
    assert "out of date" in text(careful.post("/logout/", {}, headers=FROM_HERE[0]))
