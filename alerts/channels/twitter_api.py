"""X's API v2 for posts: one is asked for, signed by python-twitter, and the answer is judged.

python-twitter posts to v1.1, which answers 403 to ordinary apps, and raises nothing for v2's errors. So its
session and its OAuth 1.0a signature are used, and the answer is judged here: only 201 is success.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec
import requests
import twitter
import urllib3
from django.conf import settings

from alerts.channels import network
from alerts.channels.shape import Blame, Outcome, Refused, Sent
from alerts.channels.twitter import KEYS
from alerts.retry import LIFETIME

CONNECT_TIMEOUT_S = 5.0
BODY_LIMIT = 64 * 1024  # bytes; an answer of X has some hundred
BODY_TIME_S = 5.0
# These speak of the text; every other refusal would meet the next post as well.
ABOUT_THE_POST = {400, 403, 413, 422}
NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
)
UNKNOWN = "whether it was posted is not known"

# At DEBUG these write the signed header, with the keys in it, to the log.
for _name in ("oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)


def signer() -> Any:
    """An object of python-twitter that signs with the keys of the settings."""
    keys = (str(getattr(settings, name)) for name in KEYS)
    api = twitter.Api(*keys, cache=None, sleep_on_rate_limit=False)
    api._session.trust_env = False  # no proxy and no .netrc of whoever runs this
    return api


def post(api: Any, text: str, answer_timeout_s: float, clock: Callable[[], float]) -> Outcome:
    """Post ``text``; ``clock`` as the channel has it."""
    try:
        with api._session.post(
            f"{settings.TWITTER_API_URL}/2/tweets",
            json={"text": text},
            auth=api._Api__auth,  # python-twitter has no public name for its signature
            timeout=(CONNECT_TIMEOUT_S, answer_timeout_s),
            allow_redirects=False,  # the signature holds for this address alone
            headers={"Accept-Encoding": "identity", "User-Agent": "Djamon"},
            stream=True,
        ) as response:
            return judge(response.status_code, response.headers, _body(response.raw), clock())
    except requests.RequestException as error:
        return failure(error, answer_timeout_s)


def _body(raw: urllib3.BaseHTTPResponse) -> bytes:
    """What came of the body within BODY_TIME_S and BODY_LIMIT: the status alone decides, this explains."""
    body, end = b"", time.monotonic() + BODY_TIME_S
    try:
        while len(body) < BODY_LIMIT and time.monotonic() < end and (chunk := raw.read1(4096)):
            body += chunk
    except (urllib3.exceptions.HTTPError, OSError):
        pass  # an answer that breaks off is judged by what came
    return body[:BODY_LIMIT]


def judge(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Outcome:
    """What an answer means; ``now`` in Unix time."""
    said = explanation(body)
    if status == HTTPStatus.CREATED:
        return Sent()
    if 300 <= status < 400:
        return Refused(
            f"redirected, which is not followed: check TWITTER_API_URL: {status}", blame=Blame.CHANNEL
        )
    words = f"{status} {said or _phrase(status)}"
    blame = Blame.MESSAGE if status in ABOUT_THE_POST else Blame.CHANNEL
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return Refused(_titles(status) + words, retry_after_s(headers, now), blame)
    return Refused(_titles(status) + words, blame=blame)


def _titles(status: int) -> str:
    match status:
        case 401:
            return "login refused: "
        case 403:
            return "X forbids this post: "
        case 429:
            return "too many posts: "
        case _ if status >= 500:
            return "X is out of order: "
        case _ if status < 300:
            return "X did not say that it was posted: "
    return "X refused: "


def explanation(body: bytes) -> str:
    """The words of an error in X's JSON, ``""`` where there are none."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    for word in (answer.get("detail"), first.get("message"), answer.get("title")):
        if isinstance(word, str) and word.strip():
            return word
    return ""


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until X wants to hear of us again: Retry-After (seconds or a date), or x-rate-limit-reset."""
    after = headers.get("Retry-After", "").strip()
    if after.isascii() and after.isdigit():
        return _bounded(float(after))
    try:
        return _bounded(parsedate_to_datetime(after).timestamp() - now)
    except (ValueError, OverflowError):  # no date, or one of a year that nobody can reckon with
        pass
    reset = headers.get("x-rate-limit-reset", "").strip()
    return _bounded(float(reset) - now) if reset.isascii() and reset.isdigit() else None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LIFETIME.total_seconds())


def failure(error: requests.RequestException, answer_timeout_s: float) -> Refused:
    """No answer at all; only where no connection stood is it sure that nothing was posted."""
    not_begun = any(isinstance(each, NEVER_CONNECTED) for each in network.causes(error))
    words = network.in_words(error, CONNECT_TIMEOUT_S if not_begun else answer_timeout_s)
    words = words or "the answer is not HTTP"
    return Refused(words if not_begun else f"{words}: {UNKNOWN}", blame=Blame.CHANNEL)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no words)"
