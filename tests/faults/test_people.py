"""People do what they may not: every address of the URLconf is walked by strangers, members and staff.

Wrong logins, tricky ``next`` values and the lock are in tests/accounts.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import tokens
from alerts.models import Alert, Attempt, Delivery
from alerts.outbox import AlertDraft, enqueue
from jobs.models import JobRun
from monitor.models import Group, OutageNote, Site
from tests.alerts.conftest import Fake
from tests.faults.limits import some
from tests.faults.walk import METHODS, OPEN, OWN_THINGS, addresses, own_addresses
from tests.monitor.factories import make_down, make_group, make_outage, make_view
from timings.calls import Calls
from timings.models import Limit, Receiver
from timings.store import Store
from timings.wire import Sample

pytestmark = pytest.mark.django_db
EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(2)>"""
RAW = re.compile(r"<script>alert|<img src=x|onerror=alert\(2\)>|href=\"javascript:", re.IGNORECASE)


@pytest.fixture
def rows(staff: User) -> dict[str, Any]:
    """Something behind every address, with markup in every text that a person or a server writes."""
    now = timezone.now()
    group = make_group(name=f"Group {EVIL}"[:255], slug="shop")
    site = make_down(
        group=group, name=f"Site {EVIL}", slug="shop", url=f"http://x.example/?{EVIL}", last_reason=EVIL
    )
    make_view(site, reason=EVIL)
    outage = make_outage(site, opened_at=now - timedelta(minutes=5))
    outage.falls.update(site_name=EVIL, site_url=f"http://x.example/?{EVIL}", reason=EVIL)
    note = OutageNote.objects.create(
        pk=outage.pk, outage=outage, author=staff, author_name=EVIL, text=EVIL, created=now
    )
    alert = enqueue(
        AlertDraft(f"outage:{outage.pk}", EVIL, EVIL, "<p></p>", EVIL), now, [Fake(to=[f"{EVIL}@x.org"])]
    )
    enqueue(AlertDraft(f"limit:{outage.pk}", EVIL, EVIL, "<p></p>", EVIL), now, [Fake(to=[f"{EVIL}@x.org"])])
    delivery = Delivery.objects.get(alert=alert)
    Delivery.objects.update(last_result=EVIL)
    Attempt.objects.create(delivery=delivery, at=now, ok=False, result=EVIL)
    JobRun.objects.create(
        name="probe",
        trigger="cron",
        started=now,
        finished=now,
        state="failed",
        message=EVIL,
        host=EVIL,
        pid=1,
        fence=1,
    )
    Limit.objects.create(
        pk=outage.pk, key=EVIL, token=EVIL, threshold_ms=1, since=now, over_since=now, state="over"
    )
    extra = json.dumps({EVIL: EVIL})
    Store(10).write(Calls([Sample(EVIL, token, int(now.timestamp()), 0.25, extra) for token in (EVIL, "t")]))
    Receiver.objects.create(address=EVIL, started=now, updated=now, refused={EVIL: 1})
    token, _ = tokens.create(staff, EVIL[:40], ["read"])
    return {
        "slug": "shop",
        "pk": note.pk if note.pk == outage.pk else outage.pk,
        "key": EVIL,
        "name": "probe",
        "token_id": token.pk,
    }


def ask(client: Client, path: str, method: str = "get", **data: Any) -> HttpResponse:
    client.raise_request_exception = False
    answer: HttpResponse = getattr(client, method)(path, data)
    return answer


def counts() -> dict[str, int]:
    """Rows of every table of ours."""
    own = ("accounts", "jobs", "alerts", "monitor", "timings", "auth")
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in own
    }


# --- Who may what --------------------------------------------------------------------------------
def test_strangers_are_refused_at_every_address(rows, stranger_client) -> None:
    for name, path in own_addresses(rows):
        for method in ("get", "post"):
            answer = ask(stranger_client, path, method)
            if name in OPEN:
                assert answer.status_code < 500, path
            elif answer.status_code == 302:
                assert answer["Location"].startswith("/login/?next="), path
            else:
                assert answer.status_code in (401, 403, 405), (method, path, answer.status_code)


def test_a_member_changes_nothing_by_any_address(rows, member_client) -> None:
    before, site = counts(), Site.objects.values().get()
    for name, path in addresses(rows):
        if name in OWN_THINGS or "/admin/log" in path:
            continue
        for method in METHODS[2:6]:
            answer = ask(
                member_client, path, method, name="x", url="http://x.example/", text="x", action="run"
            )
            refused = answer.status_code in (401, 403, 404, 405) or "/login/" in answer.get("Location", "")
            assert refused or path.startswith("/admin/"), (method, path, answer.status_code)
    assert counts() == before
    assert Site.objects.values().get() == site


def test_what_is_below_manage_is_for_staff_alone(rows, member_client, staff_client) -> None:
    for _name, path in own_addresses(rows):
        if path.startswith("/manage/"):
            assert ask(member_client, path).status_code in (403, 405), path
            assert ask(staff_client, path).status_code in (200, 405), path


def test_nothing_is_changed_without_our_own_form(rows, staff) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    before = counts()
    for _name, path in addresses(rows):
        answer = ask(client, path, "post", name="x", confirm="1")
        assert answer.status_code in (403, 404, 405), (path, answer.status_code)
    assert counts() == before


@pytest.mark.parametrize("who", ["staff_client", "member_client", "stranger_client"])
@pytest.mark.parametrize("method", some(METHODS, every=2))
def test_no_method_at_any_address_breaks_the_server(method, who, rows, request) -> None:
    client = request.getfixturevalue(who)
    for _name, path in own_addresses(rows):
        if "delete" not in path and "logout" not in path:
            assert ask(client, path, method).status_code < 500, (method, path)


QUERIES = [EVIL, "-1", "0", "9" * 30, "²", "NaN", "\0", "1e9", "", "2026-13-45T99:99"]
ODD = [
    "0",
    "-1",
    "%00",
    "999999999999999999999",
    "..%2f..%2fetc%2fpasswd",
    "%f0%9f%92%a3",
    "a" * 3000,
    "<script>",
]


@pytest.mark.parametrize("odd", some(ODD, every=2), ids=lambda word: word[:12])
def test_no_odd_name_in_an_address_breaks_the_server(odd, rows, staff_client) -> None:
    for _name, path in own_addresses(dict.fromkeys(rows, odd)):
        answer = ask(staff_client, path)
        assert answer.status_code < 500, path
        _has_no_markup(answer, path)


@pytest.mark.parametrize("odd", some(QUERIES, every=3))
def test_no_query_breaks_a_page_or_comes_back_as_markup(odd, rows, staff_client) -> None:
    keys = (
        "page",
        "q",
        "sort",
        "order",
        "state",
        "group",
        "range",
        "from",
        "to",
        "next",
        "hour",
        "day",
        "tag",
        "token",
        "key",
    )
    for _name, path in own_addresses(rows):
        answer = ask(staff_client, path, "get", **dict.fromkeys(keys, odd))
        assert answer.status_code < 500, path
        _has_no_markup(answer, path)


# --- Markup --------------------------------------------------------------------------------------
def _has_no_markup(answer: Any, path: str) -> None:
    if answer.get("Content-Type", "").startswith("text/html"):
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found = RAW.search(body.decode())
        assert found is None, (path, body.decode()[max(0, found.start() - 80) : found.end() + 80])


@pytest.mark.parametrize("who", ["admin_client", "member_client"])
def test_what_people_and_servers_wrote_is_text_on_every_page(who, rows, request) -> None:
    client = request.getfixturevalue(who)
    for _name, path in addresses(rows):
        answer = ask(client, path)
        assert answer.status_code < 500, path
        _has_no_markup(answer, path)


def test_a_form_shows_what_was_typed_as_text(rows, staff_client) -> None:
    fields = (
        "name",
        "slug",
        "url",
        "good_codes",
        "interval_min",
        "group",
        "text",
        "lines",
        "username",
        "next",
    )
    for _name, path in own_addresses(rows):
        answer = ask(staff_client, path, "post", **dict.fromkeys(fields, EVIL))
        assert answer.status_code < 500, path
        _has_no_markup(answer, path)


def test_json_is_never_taken_for_a_page(rows, staff_client) -> None:
    for _name, path in own_addresses(rows):
        if path.endswith(".json"):
            answer = ask(staff_client, path)
            assert answer["Content-Type"].startswith("application/json")
            assert answer["X-Content-Type-Options"] == "nosniff"


# --- Headers, cookies, logs ----------------------------------------------------------------------
def test_every_answer_carries_the_headers_that_protect_it(rows, staff_client) -> None:
    for _name, path in [*own_addresses(rows), ("", "/nothing/here/"), ("", "/admin/login/")]:
        answer = ask(staff_client, path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy, path
        assert answer["X-Content-Type-Options"] == "nosniff", path
        assert answer["Referrer-Policy"] == "same-origin", path
        assert answer["X-Frame-Options"] == "DENY", path


def test_no_page_has_script_or_style_in_itself(rows, staff_client) -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style|\son\w+=\"", re.I
    )
    for _name, path in own_addresses(rows):
        answer = ask(staff_client, path)
        if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            assert inline.search(answer.content.decode()) is None, path


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(member, settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get("/login/")
    client.post("/login/", {"username": "mia-member", "password": "a long password"})
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
    assert (csrf["secure"], csrf["samesite"]) == (True, "Lax")


def test_no_token_password_or_session_comes_into_the_log(rows, member, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    _, secret = tokens.create(member, "reader", ["read"])
    client = Client()
    client.post("/login/", {"username": "mia-member", "password": "a wrong long secret"})
    client.force_login(member)
    session = client.cookies["sessionid"].value
    for _name, path in own_addresses(rows):
        for header in (f"Bearer {secret}", f"Bearer {secret}x", f"Token {secret}"):
            client.raise_request_exception = False
            client.get(path, HTTP_AUTHORIZATION=header)
    for word in (secret, "a wrong long secret", session):
        assert word not in caplog.text


def test_alerts_carry_names_as_text(rows) -> None:
    from monitor import messages  # noqa: PLC0415
    from monitor.models import Outage  # noqa: PLC0415

    outage = Outage.objects.get()
    draft = messages.fell(outage, list(outage.falls.all()), joined=False)
    assert RAW.search(draft.html) is None
    assert not Alert.objects.filter(subject__contains="\n").exists()


def test_the_walk_finds_what_is_there(rows) -> None:
    names = {name for name, _path in own_addresses(rows)}
    assert {"home", "site", "outage", "site_edit", "run_now", "revoke_token", "group_data"} <= names
    assert {"timings", "timings_key", "figures_of", "slowest"} <= names
    assert Group.objects.exists()
