"""Mistakes in the alert settings, as `manage.py check` tells them."""

from typing import Any

import pytest

from alerts.channels.twitter import KEYS
from alerts.checks import mail_addresses, receivers, twitter_keys


def test_all_set_is_no_mistake(x_settings: Any, mail_settings: Any) -> None:
    assert [*twitter_keys(), *mail_addresses(), *receivers()] == []


def test_keys_do_not_matter_while_twitter_is_off(settings: Any) -> None:
    settings.TWITTER = False
    assert twitter_keys() == []


@pytest.mark.parametrize(("number", "name"), list(enumerate(KEYS, start=1)), ids=KEYS)
def test_a_missing_key_is_named(x_settings: Any, number: int, name: str) -> None:
    setattr(x_settings, name, "")
    (error,) = twitter_keys()
    assert (error.id, name in error.msg, name in (error.hint or "")) == (f"alerts.E{number:03}", True, True)


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        pytest.param("TO_EMAIL", ["a@example.org", "Ann <ann@localhost>"], [], id="good"),
        pytest.param("TO_EMAIL", ["a@example.org", "nobody"], ["alerts.E005"], id="to-without-host"),
        pytest.param("TO_EMAIL", ["a@x.org;b@x.org", "@"], ["alerts.E005"] * 2, id="to-two-mistakes"),
        pytest.param("FROM_EMAIL", "djamon", ["alerts.E006"], id="from-without-host"),
        pytest.param("FROM_EMAIL", "Djamon <djamon@example.org>", [], id="from-with-name"),
    ],
)
def test_addresses(mail_settings: Any, name: str, value: Any, ids: list[str]) -> None:
    setattr(mail_settings, name, value)
    found = mail_addresses()
    assert [error.id for error in found] == ids
    assert all(name in (error.hint or "") for error in found)


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        pytest.param("TWITTER_API_URL", "", ["alerts.E007"], id="nowhere-to-post"),
        pytest.param("EMAIL_HOST", "", ["alerts.E008"], id="no-mail-server"),
        pytest.param("EMAIL_HOST", "a b", ["alerts.E008"], id="words"),
        pytest.param("EMAIL_HOST", "smtp://mail.example.org", ["alerts.E008"], id="an-address-with-scheme"),
        pytest.param("EMAIL_HOST", "::1", [], id="ipv6"),
    ],
)
def test_receivers(x_settings: Any, mail_settings: Any, name: str, value: str, ids: list[str]) -> None:
    setattr(mail_settings, name, value)
    found = receivers()
    assert [error.id for error in found] == ids
    assert all(name in error.msg for error in found)


def test_receivers_do_not_matter_where_nobody_is_told(settings: Any) -> None:
    settings.TWITTER, settings.TO_EMAIL, settings.TWITTER_API_URL, settings.EMAIL_HOST = False, [], "", ""
    assert receivers() == []
