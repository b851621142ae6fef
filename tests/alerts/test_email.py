"""E-mail to real SMTP servers on loopback, with the faults of real ones."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import trustme

from alerts.channels.email import EmailChannel
from alerts.channels.shape import Blame, Outcome, Refused, Sent
from alerts.models import Delivery
from alerts.outbox import enqueue
from alerts.queries import undelivered
from alerts.sending import SendReport, send_due
from tests.alerts.conftest import DRAFT, NOW, Clock, message
from tests.alerts.servers import MailRules, babbling_server, closed_port, mail_server, silent_server


@pytest.fixture
def rules(mail_settings: Any) -> Iterator[MailRules]:
    rules = MailRules()
    with mail_server(rules) as port:
        mail_settings.EMAIL_PORT = port
        yield rules


@pytest.fixture
def channel() -> Iterator[EmailChannel]:
    channel = EmailChannel()
    yield channel
    channel.close()


def told(channel: EmailChannel, *addresses: str) -> list[Outcome]:
    return [channel.send(message(address)) for address in addresses]


def test_a_mail_has_text_html_and_headers_of_a_machine(rules: MailRules, channel: EmailChannel) -> None:
    sent = message("a@example.org", subject="Größe: Shop is down")
    assert channel.send(sent) == Sent()
    mail = rules.mails[0]
    parts = [part.get_content() for part in mail.iter_parts()]
    assert (mail["Subject"], mail["From"], mail["To"]) == (
        "Größe: Shop is down",
        "djamon@example.org",
        "a@example.org",
    )
    assert (mail["Auto-Submitted"], mail["X-Djamon-Reference"]) == ("auto-generated", "outage:12")
    assert (mail["Message-ID"], mail["Date"].datetime) == (f"<{sent.key.hex}@example.org>", NOW)
    assert [part.splitlines() for part in parts] == [["Shop is down."], ["<p>Shop is down.</p>"]]


def test_a_retry_has_the_same_message_id(rules: MailRules, channel: EmailChannel) -> None:
    again = message()
    assert [channel.send(again), channel.send(again)] == [Sent(), Sent()]
    assert rules.mails[0]["Message-ID"] == rules.mails[1]["Message-ID"]


@pytest.mark.parametrize("field", ["subject", "reference"])
def test_no_header_can_be_injected(rules: MailRules, channel: EmailChannel, field: str) -> None:
    assert channel.send(message(**{field: "x\r\nBcc: evil@example.org\n\nbody"})) == Sent()
    assert rules.mails[0]["Bcc"] is None
    assert "evil" not in str(rules.mails[0].get_body(("plain",)))


@pytest.mark.parametrize("address", ["a@example.org\nBcc: b@example.org", "a@b@c", "@"])
def test_a_broken_address_is_refused_alone(rules: MailRules, channel: EmailChannel, address: str) -> None:
    bad, good = told(channel, address, "b@example.org")
    assert isinstance(bad, Refused)
    assert bad.reason.startswith("this address cannot be used: ")
    assert (good, rules.taken()) == (Sent(), ["b@example.org"])


def test_one_connection_serves_a_round(rules: MailRules, channel: EmailChannel) -> None:
    assert told(channel, "a@example.org", "b@example.org") == [Sent(), Sent()]
    assert rules.connections == 1


def test_a_refused_address_spoils_no_other(rules: MailRules, channel: EmailChannel) -> None:
    rules.refused = {"b@example.org": "550 5.1.1 No such user"}
    _, refused, _ = told(channel, "a@example.org", "b@example.org", "c@example.org")
    assert refused == Refused("the server refused this address: 550 5.1.1 No such user")
    assert (rules.taken(), rules.connections) == (["a@example.org", "c@example.org"], 1)


def test_a_connection_that_was_dropped_is_opened_again(rules: MailRules, channel: EmailChannel) -> None:
    rules.drops_when_idle = True
    assert told(channel, "a@example.org") == [Sent()]
    smtp = channel._backend.connection
    smtp.sock.settimeout(5)
    assert smtp.sock.recv(1) == b""  # the server has hung up
    assert told(channel, "b@example.org") == [Sent()]
    assert rules.connections == 2


def test_dropped_after_data_is_unknown_and_the_next_gets_a_new_connection(
    rules: MailRules, channel: EmailChannel
) -> None:
    rules.drops_after_data = 1
    first, second = told(channel, "a@example.org", "b@example.org")
    reason = "the connection was dropped: whether it arrived is not known"
    assert (first, second) == (Refused(reason, blame=Blame.CONNECTION), Sent())


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        pytest.param(
            {"greylists": True},
            Refused("greylisted or busy, try later: 451 4.7.1 Greylisted, come back later"),
            id="greylisted",
        ),
        pytest.param(
            {"refuses_message": "554 5.7.1 Spam"},
            Refused("the server refused the message: 554 5.7.1 Spam"),
            id="message-refused",
        ),
        pytest.param(
            {"refuses_message": "452 4.3.1 Disk full"},
            Refused("greylisted or busy, try later: 452 4.3.1 Disk full"),
            id="disk-full",
        ),
        pytest.param(
            {"refuses_sender": "553 5.7.1 Not yours"},
            Refused("the server refused our sender: 553 5.7.1 Not yours", blame=Blame.CHANNEL),
            id="sender-refused",
        ),
        pytest.param(
            {"refuses_sender": "421 4.3.2 Shutting down"},
            Refused("the server is closing: 421 4.3.2 Shutting down", blame=Blame.CONNECTION),
            id="closing",
        ),
    ],
)
def test_refusals_in_words(
    rules: MailRules, channel: EmailChannel, changes: dict[str, Any], refused: Refused
) -> None:
    for name, value in changes.items():
        setattr(rules, name, value)
    assert told(channel, "a@example.org") == [refused]


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        pytest.param(closed_port(), "connection refused", id="down"),
        pytest.param(silent_server(), "no answer within 0.5 s", id="silent"),
        pytest.param(babbling_server(b""), "the connection was dropped", id="hangs-up-at-once"),
        pytest.param(
            babbling_server(b"220 hi\r\n"), "the connection was dropped", id="hangs-up-after-greeting"
        ),
        pytest.param(
            babbling_server(b"HTTP/1.0 400 Bad\r\n\r\n"),
            "this is no mail server: ",
            id="no-mail-server",
        ),
        pytest.param(
            babbling_server(b"554 5.7.1 You are on a list\r\n"),
            "the server refused the connection: 554 5.7.1 You are on a list",
            id="refuses-us",
        ),
    ],
)
def test_no_connection_in_words(
    mail_settings: Any, channel: EmailChannel, server: AbstractContextManager[int], reason: str
) -> None:
    with server as mail_settings.EMAIL_PORT:
        (refused,) = told(channel, "a@example.org")
    assert isinstance(refused, Refused)
    assert refused.reason.startswith(reason)
    assert refused.blame is Blame.CHANNEL


def test_a_host_that_is_no_name(mail_settings: Any, channel: EmailChannel) -> None:
    mail_settings.EMAIL_HOST = "mail.invalid..example"
    (refused,) = told(channel, "a@example.org")
    assert isinstance(refused, Refused)
    assert (refused.reason.partition(":")[0], refused.blame) == ("EMAIL_HOST cannot be used", Blame.CHANNEL)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("right password", "sent"),
        ("wrong password", "login refused: 535 5.7.8 Authentication credentials invalid"),
    ],
    ids=["right", "wrong"],
)
def test_login(mail_settings: Any, channel: EmailChannel, password: str, reason: str) -> None:
    mail_settings.EMAIL_HOST_USER, mail_settings.EMAIL_HOST_PASSWORD = "djamon", password
    with mail_server(MailRules(), "right password") as mail_settings.EMAIL_PORT:
        (outcome,) = told(channel, "a@example.org")
        channel.close()
    assert outcome.reason == reason


def test_no_tls_where_tls_is_wanted(rules: MailRules, mail_settings: Any, channel: EmailChannel) -> None:
    mail_settings.EMAIL_USE_TLS = True
    (refused,) = told(channel, "a@example.org")
    wanted = "the mail server cannot do what is asked: STARTTLS extension not supported by server."
    assert refused == Refused(wanted, blame=Blame.CHANNEL)


@pytest.fixture
def authority(mail_settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The certificate of the authority behind a mail server with TLS."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mail_settings.EMAIL_USE_TLS = True
    with mail_server(MailRules(), tls=tls) as mail_settings.EMAIL_PORT:
        yield tmp_path / "ca.pem"


def test_a_certificate_of_a_known_authority_is_accepted(
    authority: Path, channel: EmailChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert told(channel, "a@example.org") == [Sent()]
    channel.close()


def test_a_certificate_of_nobody_known_is_not(authority: Path, channel: EmailChannel) -> None:
    (refused,) = told(channel, "a@example.org")
    assert refused.reason.startswith("certificate not accepted: ")


# --- The same through the outbox ---------------------------------------------------------------------


def send(clock: Clock) -> SendReport:
    return send_due(clock=clock)


@pytest.mark.django_db
def test_outbox_tries_again_what_was_greylisted(rules: MailRules, clock: Clock) -> None:
    rules.greylists = True
    enqueue(DRAFT, NOW)
    assert str(send(clock)) == "3 to be tried again"
    clock.move(seconds=30)
    assert str(send(clock)) == "3 alerts sent"
    assert sorted(rules.taken()) == ["a@example.org", "b@example.org", "c@example.org"]


@pytest.mark.django_db
def test_outbox_tells_the_others_when_one_address_is_refused(rules: MailRules, clock: Clock) -> None:
    rules.refused = {"b@example.org": "550 5.1.1 No such user"}
    enqueue(DRAFT, NOW)
    assert str(send(clock)) == "2 alerts sent, 1 to be tried again"
    assert Delivery.objects.get(state="pending").address == "b@example.org"


@pytest.mark.django_db
def test_outbox_waits_once_for_a_silent_server(mail_settings: Any, clock: Clock) -> None:
    enqueue(DRAFT, NOW)
    with silent_server() as mail_settings.EMAIL_PORT:
        report = send(clock)
    assert report.line == "3 to be tried again (e-mail: no answer within 0.5 s)"
    assert list(Delivery.objects.values_list("tries", flat=True)) == [1, 0, 0]


@pytest.mark.django_db
def test_outbox_repeats_what_may_not_have_arrived(rules: MailRules, clock: Clock) -> None:
    rules.drops_after_data = 1
    enqueue(DRAFT, NOW)
    send(clock)
    clock.move(seconds=30)
    assert str(send(clock)) == "1 alert sent"
    first, *_, last = rules.mails
    assert (first["To"], first["Message-ID"]) == (last["To"], last["Message-ID"])


@pytest.mark.django_db
def test_the_reason_of_a_refused_address_is_told_again_once_its_server_is_back(
    mail_settings: Any, clock: Clock
) -> None:
    mail_settings.TO_EMAIL = ["ops@example.org", "bad@example.org"]
    rules = MailRules(refused={"bad@example.org": "550 no such user"})
    with mail_server(rules) as port:
        mail_settings.EMAIL_PORT = port
        enqueue(DRAFT, clock.now)
        send_due(clock=clock)
    with closed_port() as port:
        mail_settings.EMAIL_PORT = port
        for _ in range(3):
            enqueue(DRAFT, clock.move(minutes=1))
            send_due(clock=clock)
    assert undelivered(clock.now).why == "e-mail: connection refused"
    with mail_server(rules) as port:
        mail_settings.EMAIL_PORT = port
        for _ in range(7):
            send_due(clock=clock, now=clock.move(minutes=1))
    assert undelivered(clock.now).why.startswith("e-mail: the server refused this address")
    assert set(rules.taken()) == {"ops@example.org"}
