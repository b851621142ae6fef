"""The settings page of the manual tells of every setting, with its true default, and of no other."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

PAGE = settings.BASE_DIR / "docs" / "settings.md"
EXAMPLE = settings.BASE_DIR / ".env.example"
KNOWN_TO_OPERATORS = (
    *("SANDBOX_URLS", "GOOD_CODES", "PROBE_TIMEOUT", "STRIKES", "FROM_EMAIL", "TO_EMAIL"),
    *("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("TWITTER", "CONSUMER_KEY", "CONSUMER_SECRET", "OAUTH_TOKEN", "OAUTH_SECRET", "TWITTER_API_URL"),
)


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? *\|", PAGE.read_text(), re.MULTILINE)
    return dict(rows)


def test_the_page_lists_each_setting_with_its_default() -> None:
    assert documented() == settings.ENVIRONMENT.defaults


def test_the_example_file_names_only_settings_that_exist() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert named - set(settings.ENVIRONMENT.defaults) == set()


@pytest.mark.parametrize("name", KNOWN_TO_OPERATORS)
def test_names_that_operators_know_are_settings(name) -> None:
    assert hasattr(settings, name)
    assert name in settings.ENVIRONMENT.defaults
