"""Check now: what each kind of site shows, step by step, and that nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from monitor.checking import AT_ONCE, Check, Places, Step, check, places
from monitor.models import Site, SiteView
from monitor.probe import Limits
from tests.monitor.factories import make_down, make_site, make_up
from tests.monitor.servers import (
    NXDOMAIN,
    A,
    Answer,
    answers,
    by_verb,
    closed_port,
    name_server,
    says_and_waits,
    status,
    tcp_server,
    tls_context,
)

pytestmark = pytest.mark.django_db
LIMITS = Limits(timeout_s=0.5, lookup_timeout_s=0.3)
NOW = datetime.now(UTC)
ENDS = datetime(2099, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_limits(authority: trustme.CA) -> Iterator[Limits]:
    with authority.cert_pem.tempfile() as path:
        yield Limits(timeout_s=2, ca_file=path)


def hows(found: Check) -> dict[str, str]:
    return {step.name: step.how for step in found.steps}


def step(found: Check, name: str) -> Step:
    return next(step for step in found.steps if step.name == name)


def test_a_good_site_is_followed_to_its_headers() -> None:
    site = make_up()
    with tcp_server(answers(b"HTTP/1.1 200 OK\r\nServer: x\r\nX: <b>\r\n\r\n")) as server:
        site.url = server.url(path="/a")
        found = check(site, LIMITS)
    assert hows(found) == {
        "Our own connection": "not needed",
        "URL": "ok",
        "Name look-up": "not needed",
        "Connection": "ok",
        "TLS": "not needed",
        "Request": "ok",
        "Answer": "ok",
    }
    assert step(found, "Connection").lines == ("Connected to 127.0.0.1",)
    assert step(found, "Request").code[0] == "HEAD /a HTTP/1.1"
    assert step(found, "Answer").code == ("HTTP/1.1 200 OK", "Server: x", "X: <b>")
    assert (found.verdict, found.rule) == (
        "up",
        "200 is among 200, 301, 304, which counts as up. A run would count it as up.",
    )


def test_nothing_is_stored() -> None:
    site = make_up(url=f"http://127.0.0.1:{closed_port()}/")
    before = Site.objects.values().get()
    assert check(site, LIMITS).verdict == "down"
    assert Site.objects.values().get() == before
    assert not SiteView.objects.exists()


def test_a_silent_server_has_taken_the_request() -> None:
    with tcp_server(says_and_waits(b"")) as server:
        found = check(make_site(url=server.url()), LIMITS)
    assert hows(found)["Request"] == "ok"
    assert (step(found, "Answer").how, step(found, "Answer").lines) == (
        "failed",
        ("no headers within 0.5 s",),
    )


@pytest.mark.parametrize(
    ("url", "stage", "said"),
    [
        pytest.param("nonsense", "URL", "malformed URL: it starts with neither http://", id="malformed"),
        pytest.param(
            "http://a.invalid/", "Name look-up", "the name server knows no such name", id="no such name"
        ),
        pytest.param("http://127.0.0.1:{port}/", "Connection", "connection refused", id="refused"),
    ],
)
def test_the_stage_that_failed_is_named_and_the_rest_is_not_reached(url, stage, said) -> None:
    found = check(make_site(url=url.format(port=closed_port())), LIMITS)
    names = [step.name for step in found.steps]
    failed = step(found, stage)
    assert failed.how == "failed"
    assert said in " ".join(failed.lines)
    later = found.steps[names.index(stage) + 1 :]
    assert {step.how for step in later} <= {"not reached", "not needed"}
    assert found.rule.startswith("No answer came (")


def test_garbage_is_no_answer() -> None:
    with tcp_server(answers(bytes(range(256)) * 100)) as server:
        found = check(make_site(url=server.url()), LIMITS)
    assert step(found, "Answer").lines == ("not an HTTP answer",)


def test_headers_are_bounded() -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 2000 + b"\r\n" + b"Y: y\r\n" * 500 + b"\r\n"
    with tcp_server(answers(raw)) as server:
        answer = step(check(make_site(url=server.url()), LIMITS), "Answer")
    assert len(answer.code) == 60
    assert max(map(len, answer.code)) == 301
    assert answer.lines == ("442 more lines are not shown.",)


def test_get_after_a_refused_head_is_a_second_request() -> None:
    both = by_verb({"HEAD": status("405 No"), "GET": status("200 OK")})
    with tcp_server(both) as server:
        found = check(make_site(url=server.url(), get_fallback=True), LIMITS)
    assert step(found, "Answer").code[0] == "HTTP/1.1 405 No"
    assert step(found, "Request, again with GET").code[0] == "GET / HTTP/1.1"
    assert found.verdict == "up"


def test_every_address_of_a_name_is_told() -> None:
    zone = lambda name, kind: Answer(("127.0.0.1",) if kind == A else ("::1",))  # noqa: E731
    with tcp_server(status("200 OK")) as server, name_server(zone) as names:
        limits = Limits(timeout_s=1, lookup_timeout_s=0.5, name_servers=(names.address,))
        found = check(make_site(url=server.url("a.example")), limits)
    assert step(found, "Name look-up").lines == ("IPv6 ::1", "IPv4 127.0.0.1")
    assert step(found, "Connection").lines[0] == f"Tried [::1]:{server.port} without success"
    assert step(found, "Connection").lines[-1] == "Connected to 127.0.0.1"


def test_a_site_with_ipv6_alone() -> None:
    with tcp_server(status("200 OK"), host="::1") as server:
        found = check(make_site(url=server.url("[::1]")), LIMITS)
    assert step(found, "Connection").lines == ("Connected to ::1",)


def test_a_name_that_does_not_exist() -> None:
    with name_server(lambda name, kind: Answer(code=NXDOMAIN)) as names:
        limits = Limits(timeout_s=1, lookup_timeout_s=0.5, name_servers=(names.address,))
        found = check(make_site(url="http://gone.example/"), limits)
    assert step(found, "Name look-up").lines == ("gone.example: the name server knows no such name",)


# --- TLS -----------------------------------------------------------------------------------------
def test_a_certificate_is_shown(authority, tls_limits) -> None:
    context = tls_context(authority.issue_cert("127.0.0.1", not_after=ENDS))
    with tcp_server(status("200 OK"), context=context) as server:
        tls = step(check(make_site(url=server.url()), tls_limits), "TLS")
    assert tls.how == "ok"
    assert tls.lines[0].startswith("TLSv1.3, TLS_")
    assert tls.lines[1] == "Certificate for 127.0.0.1"
    assert tls.lines[2].endswith(" to 2099-03-01 12:00 UTC")
    assert "trustme" in tls.lines[3]


def test_a_refused_certificate_is_shown_with_the_reason(authority, tls_limits) -> None:
    begun, ended = NOW - timedelta(9), NOW - timedelta(3.1)
    context = tls_context(authority.issue_cert("127.0.0.1", not_before=begun, not_after=ended))
    with tcp_server(status("200 OK"), context=context) as server:
        found = check(make_site(url=server.url()), tls_limits)
    tls = step(found, "TLS")
    assert (tls.how, tls.lines[0]) == ("failed", "certificate expired 3 days ago")
    assert "Certificate for 127.0.0.1" in tls.lines
    assert hows(found)["Request"] == "not reached"


# --- Our own connection, and what a run would make of it -----------------------------------------
def test_sandbox_is_told_url_by_url(settings) -> None:
    with tcp_server(status("503 Busy")) as server:
        settings.SANDBOX_URLS = (server.url(), f"http://127.0.0.1:{closed_port()}/")
        own = step(check(make_site(url=server.url()), LIMITS), "Our own connection")
    assert own.how == "ok"
    assert [line.partition(": ")[2] for line in own.lines] == [
        "HTTP 503 Service Unavailable",
        "connection refused",
    ]


def test_without_our_own_connection_a_run_would_count_nothing(settings) -> None:
    settings.SANDBOX_URLS = (f"http://127.0.0.1:{closed_port()}/",)
    found = check(make_site(url=f"http://127.0.0.1:{closed_port()}/"), LIMITS)
    assert hows(found)["Our own connection"] == "failed"
    assert found.rule.endswith("a run would ask no site now, and count nothing.")


@pytest.mark.parametrize(
    ("make", "fields", "line", "said"),
    [
        (make_up, {}, "503 No", "failure 1 in a row; failure 3 opens an outage."),
        (make_up, {"failures": 2}, "503 No", "failure 3 in a row and open an outage, or join an open one."),
        (make_down, {}, "503 No", "in an outage already, and would stay in it."),
        (make_down, {}, "200 OK", "would end the site's part in the outage."),
        (make_up, {"failures": 1}, "200 OK", "would clear its failures."),
    ],
    ids=["first failure", "last strike", "still down", "back", "no failure any more"],
)
def test_what_a_run_would_make_of_it(make, fields, line, said) -> None:
    with tcp_server(status(line)) as server:
        rule = check(make(url=server.url(), **fields), LIMITS).rule
    assert rule.endswith(said)
    assert ("is not among 200, 301, 304, which counts as down" in rule) == line.startswith("503")


# --- Who may, and the page -----------------------------------------------------------------------
def test_one_check_a_person_and_some_in_all() -> None:
    own = Places()
    with own.take(1) as first, own.take(1) as again, own.take(2), own.take(3), own.take(4):
        assert (first, "has not ended yet" in again) == ("", True)
        with own.take(5) as fifth:
            assert fifth == f"{AT_ONCE} checks are under way already. Try again in some seconds."
    with own.take(1) as later:
        assert later == ""


def test_staff_see_a_page_or_a_piece_of_one(staff_client) -> None:
    with tcp_server(answers(b"HTTP/1.1 503 No\r\nX: <script>\r\n\r\n")) as server:
        site = make_up(slug="shop", url=server.url())
        page = staff_client.post("/manage/site/shop/check/").content.decode()
        piece = staff_client.post("/manage/site/shop/check/", headers={"HX-Request": "true"}).content.decode()
    for seen in (page, piece):
        assert "X: &lt;script&gt;" in seen
        assert "503 is not among" in seen
        assert "Nothing of this check is recorded" in seen
    assert ("<html" in page, "<html" in piece) == (True, False)
    assert "/manage/site/shop/check/" in staff_client.get(site.get_absolute_url()).content.decode()


def test_others_cannot_check(member_client, stranger_client, staff_client) -> None:
    site = make_up(slug="shop")
    assert member_client.post("/manage/site/shop/check/").status_code == 403
    assert stranger_client.post("/manage/site/shop/check/").status_code == 302
    assert staff_client.get("/manage/site/shop/check/").status_code == 405
    assert staff_client.post("/manage/site/none/check/").status_code == 404
    piece = staff_client.post("/manage/site/none/check/", headers={"HX-Request": "true"})
    assert "The site has been deleted meanwhile." in piece.content.decode()
    assert "/check/" not in member_client.get(site.get_absolute_url()).content.decode()


def test_somebody_who_checks_already_is_told(staff_client, staff) -> None:
    make_up(slug="shop")
    with places.take(staff.pk):
        refused = staff_client.post("/manage/site/shop/check/")
    assert refused.status_code == 429
    assert "Your last check has not ended yet" in refused.content.decode()
