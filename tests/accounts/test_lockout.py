from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.test import Client, RequestFactory

from accounts.lockout import ADDRESS_LIMIT, counted_address

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RIGHT = "a long password"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def attempt(password: str = "wrong", name: str = "mia-member", address: str = "192.0.2.1", path="/login/"):
    client = Client(REMOTE_ADDR=address)
    return client.post(path, {"username": name, "password": password})


def fail(times: int, **where: str) -> list[int]:
    return [attempt(**where).status_code for _ in range(times)]


def test_the_fifth_wrong_login_closes_it_and_says_until_when(member, clock) -> None:
    assert fail(4) == [200] * 4
    answer = attempt()
    assert (answer.status_code, answer["Retry-After"]) == (429, "301")
    page = answer.content.decode()
    assert "Too many wrong logins" in page
    assert "12:05:00 UTC" in page


def test_the_right_password_does_not_open_a_closed_login(member, clock) -> None:
    fail(5)
    assert attempt(RIGHT).status_code == 429


def test_the_right_password_works_after_the_cool_off(member, clock) -> None:
    fail(5)
    clock.move_to(START + timedelta(minutes=5, seconds=1))
    assert attempt(RIGHT).status_code == 302


def test_tries_while_it_is_closed_do_not_lengthen_it(member, clock) -> None:
    fail(5)
    clock.move_to(START + timedelta(minutes=4))
    assert attempt()["Retry-After"] == "61"
    clock.move_to(START + timedelta(minutes=5, seconds=1))
    assert attempt(RIGHT).status_code == 302


@pytest.mark.parametrize(
    "elsewhere",
    [{"address": "192.0.2.2"}, {"address": "2001:db8::1"}, {"name": "sam-staff"}],
    ids=["address", "ipv6 address", "user"],
)
def test_nobody_else_is_locked_out(member, staff, clock, elsewhere) -> None:
    fail(5)
    assert attempt(RIGHT, **elsewhere).status_code == 302


def test_the_admins_login_is_the_same_lock(staff, clock) -> None:
    fail(5, name="sam-staff", path="/admin/login/")
    assert attempt(RIGHT, name="sam-staff", path="/admin/login/").status_code == 429
    assert attempt(RIGHT, name="sam-staff").status_code == 429


def test_one_address_that_tries_many_names_is_stopped(member, clock) -> None:
    answers = [attempt(name=f"user-{number}").status_code for number in range(ADDRESS_LIMIT)]
    assert answers == [200] * (ADDRESS_LIMIT - 1) + [429]
    assert attempt(RIGHT).status_code == 429
    assert attempt(RIGHT, address="192.0.2.2").status_code == 302


def test_a_right_login_forgives_its_own_user_alone(member, staff, clock) -> None:
    fail(4)
    fail(4, name="sam-staff")
    attempt(RIGHT)
    assert set(AccessAttempt.objects.values_list("username", flat=True)) == {"sam-staff"}


def test_another_browser_does_not_start_anew(member, clock) -> None:
    for number in range(5):
        client = Client(REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT=f"browser {number}")
        client.post("/login/", {"username": "mia-member", "password": "wrong"})
    assert attempt(RIGHT).status_code == 429


def test_programs_are_told_in_json(member, clock) -> None:
    fail(5)
    client = Client(REMOTE_ADDR="192.0.2.1", HTTP_ACCEPT="application/json")
    answer = client.post("/login/", {"username": "mia-member", "password": RIGHT})
    assert answer.json() == {"error": "Too many wrong logins; try again in 5 minutes, 1 second."}


def test_what_is_kept_ends_with_the_cool_off(member, clock) -> None:
    fail(3)
    clock.move_to(START + timedelta(minutes=6))
    fail(1, name="another")
    assert AccessAttempt.objects.count() == 1
    attempt(RIGHT)
    assert AccessLog.objects.count() == 0


def test_neither_log_nor_table_holds_what_was_typed(member, clock, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        attempt("s3cret-word", name="typed-into-the-wrong-field")
    row = AccessAttempt.objects.get()
    assert "s3cret-word" not in caplog.text + row.post_data + row.get_data
    assert "typed-into-the-wrong-field" not in caplog.text


ADDRESSES = {
    "ipv4": ("192.0.2.1", "192.0.2.1"),
    "ipv4 in ipv6": ("::ffff:192.0.2.1", "192.0.2.1"),
    "ipv6": ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    "unix socket": ("", "0.0.0.0"),
}


@pytest.mark.parametrize(("peer", "counted"), ADDRESSES.values(), ids=ADDRESSES)
def test_failures_count_for_an_address_or_a_network(peer, counted) -> None:
    assert counted_address(RequestFactory().get("/", REMOTE_ADDR=peer)) == counted


def test_logins_over_a_socket_without_addresses_are_counted(member, clock) -> None:
    fail(5, address="")
    assert attempt(RIGHT, address="").status_code == 429


def test_a_client_cannot_choose_its_address(member, clock) -> None:
    for number in range(5):
        client = Client(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
        client.post("/login/", {"username": "mia-member", "password": "wrong"})
    assert attempt(RIGHT).status_code == 429
