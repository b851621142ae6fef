"""Posts to a real HTTP server that stands for X, signed by python-twitter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

from alerts.channels.shape import Blame, Refused, Sent
from alerts.channels.twitter import KEYS, TwitterChannel
from alerts.channels.twitter_api import judge, retry_after_s
from alerts.models import Delivery
from alerts.outbox import enqueue
from alerts.sending import send_due
from tests.alerts.conftest import DRAFT, NOW, Clock, message
from tests.alerts.servers import Reply, XRules, babbling_server, closed_port, silent_server, x_server

UNIX = 1_772_452_800.0  # 2026-03-02 12:00:00 UTC


@pytest.fixture
def x(x_settings: Any) -> Iterator[XRules]:
    rules = XRules()
    with x_server(rules) as x_settings.TWITTER_API_URL:
        yield rules


@pytest.fixture
def channel() -> Iterator[TwitterChannel]:
    channel = TwitterChannel(clock=lambda: UNIX)
    yield channel
    channel.close()


def oauth_fields(header: str) -> dict[str, str]:
    assert header.startswith("OAuth ")
    pairs = (part.strip().split("=", 1) for part in header.removeprefix("OAuth ").split(","))
    return {name: value.strip('"') for name, value in pairs}


def test_a_post_is_json_and_its_signature_verifies(x: XRules, channel: TwitterChannel) -> None:
    assert channel.send(message(public="Größe & shop are down")) == Sent()
    (post,) = x.posts
    fields = oauth_fields(post.headers["Authorization"])
    given = [(name, value) for name, value in fields.items() if name != "oauth_signature"]
    base = signature.signature_base_string(
        "POST", signature.base_string_uri(f"{x.url}/2/tweets"), signature.normalize_parameters(given)
    )

    class Secrets:
        client_secret, resource_owner_secret = "consumer-secret", "oauth-secret"

    expected = signature.sign_hmac_sha1_with_client(base, Secrets())
    assert (post.path, post.headers["Content-Type"]) == ("/2/tweets", "application/json")
    assert (post.text, fields["oauth_signature"]) == (
        "Größe & shop are down",
        signature.utils.escape(expected),
    )
    assert (fields["oauth_consumer_key"], fields["oauth_token"]) == ("consumer-key", "oauth-token")


def test_a_long_post_is_cut(x: XRules, channel: TwitterChannel) -> None:
    channel.send(message(public="x" * 300))
    assert x.posts[0].text == "x" * 278 + "…"


@pytest.mark.parametrize(
    ("reply", "reason", "blame"),
    [
        (
            Reply(401, b'{"title": "Unauthorized", "detail": "Unauthorized", "status": 401}'),
            "login refused: 401 Unauthorized",
            Blame.CHANNEL,
        ),
        (
            Reply(403, b'{"detail": "You are not allowed to create a Tweet with duplicate content."}'),
            "X forbids this post: 403 You are not allowed to create a Tweet with duplicate content.",
            Blame.MESSAGE,
        ),
        (Reply(403, b'{"title": "Forbidden"}'), "X forbids this post: 403 Forbidden", Blame.MESSAGE),
        (Reply(403, b"<html>"), "X forbids this post: 403 Forbidden", Blame.MESSAGE),
        (Reply(400, b'{"errors": [{"message": "Bad text"}]}'), "X refused: 400 Bad text", Blame.MESSAGE),
        (Reply(402, b"{}"), "X refused: 402 Payment Required", Blame.CHANNEL),
        (Reply(500, b"rubbish \xff\xfe"), "X is out of order: 500 Internal Server Error", Blame.CHANNEL),
        (Reply(503, b"[[[[["), "X is out of order: 503 Service Unavailable", Blame.CHANNEL),
        (Reply(200, b"{}"), "X did not say that it was posted: 200 OK", Blame.CHANNEL),
        (Reply(599, b'{"errors": [1]}'), "X is out of order: 599 (no words)", Blame.CHANNEL),
    ],
    ids=[
        "401", "403-duplicate", "403-title", "403-html", "400", "402", "500-rubbish", "503", "200", "599",
    ],
)  # fmt: skip
def test_only_201_is_success(
    x: XRules, channel: TwitterChannel, reply: Reply, reason: str, blame: Blame
) -> None:
    x.replies = [reply]
    assert channel.send(message()) == Refused(reason, blame=blame)


@pytest.mark.parametrize("body", [b"", b"rubbish", b"x" * 200_000], ids=["empty", "rubbish", "endless"])
def test_201_is_success_whatever_the_body(x: XRules, channel: TwitterChannel, body: bytes) -> None:
    x.replies = [Reply(201, body)]
    assert channel.send(message()) == Sent()


def test_a_redirect_is_not_followed(x: XRules, channel: TwitterChannel) -> None:
    x.replies = [Reply(307, b"", {"Location": "/elsewhere"})]
    outcome = channel.send(message())
    assert outcome.reason == "redirected, which is not followed: check TWITTER_API_URL: 307"
    assert [post.path for post in x.posts] == ["/2/tweets"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "120"}, 120, id="seconds"),
        pytest.param({"Retry-After": "Mon, 02 Mar 2026 12:05:00 GMT"}, 300, id="date"),
        pytest.param({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0, id="date-in-the-past"),
        pytest.param({"x-rate-limit-reset": str(int(UNIX) + 900)}, 900, id="reset"),
        pytest.param({"x-rate-limit-reset": "1"}, 0, id="reset-in-the-past"),
        pytest.param({"Retry-After": "7", "x-rate-limit-reset": "9999999999"}, 7, id="retry-after-first"),
        pytest.param({"Retry-After": "soon", "x-rate-limit-reset": "²"}, None, id="rubbish"),
        pytest.param({"Retry-After": "-5"}, None, id="negative"),
        pytest.param({"Retry-After": "99999999999"}, 86_400, id="ages"),
        pytest.param({"Retry-After": "9" * 5000}, 86_400, id="more-than-a-float-holds"),
        pytest.param({"x-rate-limit-reset": str(10**20)}, 86_400, id="reset-in-ages"),
        pytest.param({"Retry-After": f"Mon, 02 Mar {10**20} 12:05:00 GMT"}, None, id="year-of-no-calendar"),
        pytest.param({}, None, id="none"),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, UNIX) == seconds
    refused = judge(429, headers, b'{"title": "Too Many Requests"}', UNIX)
    assert refused == Refused("too many posts: 429 Too Many Requests", seconds, Blame.CHANNEL)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        pytest.param(closed_port(), "connection refused", id="down"),
        pytest.param(
            babbling_server(b"rubbish\r\n\r\n"),
            "the answer is not HTTP: whether it was posted is not known",
            id="rubbish",
        ),
        pytest.param(
            babbling_server(b""),
            "the connection was dropped: whether it was posted is not known",
            id="hangs-up",
        ),
        pytest.param(
            silent_server(), "no answer within 0.3 s: whether it was posted is not known", id="silent"
        ),
    ],
)
def test_no_answer_in_words(x_settings: Any, server: AbstractContextManager[int], reason: str) -> None:
    channel = TwitterChannel(answer_timeout_s=0.3)
    with server as port:
        x_settings.TWITTER_API_URL = f"http://127.0.0.1:{port}"
        outcome = channel.send(message())
    channel.close()
    assert outcome == Refused(reason, blame=Blame.CHANNEL)


def test_neither_proxy_nor_netrc_of_the_environment_is_used(
    x: XRules, channel: TwitterChannel, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert channel.send(message()) == Sent()
    assert x.posts[0].headers["Authorization"].startswith("OAuth ")


@pytest.mark.parametrize("name", ["TWITTER", *KEYS])
def test_what_is_not_set_is_named(x: XRules, x_settings: Any, channel: TwitterChannel, name: str) -> None:
    setattr(x_settings, name, "")
    assert channel.send(message()) == Refused(f"not set up: {name} not set", blame=Blame.CHANNEL)
    assert x.posts == []


def test_nothing_public_is_never_posted(x: XRules, channel: TwitterChannel) -> None:
    assert channel.send(message(public=None)) == Refused("nothing to be said in public")
    assert x.posts == []


@pytest.mark.django_db
def test_no_secret_in_results_or_logs(
    x: XRules, x_settings: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [getattr(x_settings, name) for name in KEYS]
    x.replies = [Reply(401, f'{{"detail": "bad: {" ".join(secrets)}"}}'.encode())]
    enqueue(DRAFT, NOW)
    with caplog.at_level(logging.DEBUG):
        report = send_due(clock=clock)
    told = caplog.text + report.line + Delivery.objects.get().last_result
    assert "login refused: 401 bad: •••" in told
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.django_db
def test_outbox_waits_as_long_as_x_asks(x: XRules, clock: Clock) -> None:
    x.replies = [Reply(429, b"{}", {"Retry-After": "600"}), Reply()]
    enqueue(DRAFT, NOW)
    send_due(clock=clock)
    clock.move(seconds=599)
    assert send_due(clock=clock).sent == 0
    clock.move(seconds=1)
    assert send_due(clock=clock).sent == 1
