"""The base template, the security headers and the colours that every page has."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

from djamon.lib import hooks
from djamon.lib.hooks import Banner, NavItem

pytestmark = pytest.mark.urls("tests.accounts.urls")

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STYLESHEET = settings.BASE_DIR / "static" / "djamon" / "djamon.css"


def page(client, path="/tokens/"):
    return client.get(path).content.decode()


def found(pattern: str, text: str) -> str:
    """The first group of the first place that fits; a test that looks for it needs one."""
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


@pytest.mark.django_db
def test_the_policy_allows_nothing_inline_and_nobody_else(stranger_client) -> None:
    policy = stranger_client.get("/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:", policy)


HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "value"), HEADERS.items())
def test_security_headers(stranger_client, name, value) -> None:
    assert stranger_client.get("/login/")[name] == value


@pytest.mark.parametrize(
    "template", TEMPLATES, ids=lambda path: path.relative_to(settings.BASE_DIR / "templates").as_posix()
)
def test_no_template_has_what_the_policy_refuses(template) -> None:
    source = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", source)


@pytest.mark.django_db
def test_a_page_has_its_landmarks(member_client) -> None:
    html = page(member_client)
    assert '<html lang="en-GB"' in html
    assert '<a class="skip-link" href="#content">' in html
    assert html.count("<main ") == html.count("</main>") == html.count("<h1") == 1
    assert '<nav class="navbar navbar-expand-lg py-1" aria-label="Main">' in html
    assert "width=device-width" in html


@pytest.mark.django_db
def test_htmx_is_told_what_the_policy_allows(member_client) -> None:
    config = found(r"name=\"htmx-config\" content='([^']+)'", page(member_client))
    assert json.loads(config) == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "selfRequestsOnly": True,
    }


@pytest.mark.django_db
def test_htmx_sends_a_users_token_and_strangers_get_no_cookie(member_client, stranger_client) -> None:
    headers = found(r"hx-headers='([^']+)'", page(member_client))
    assert len(json.loads(headers)["X-CSRFToken"]) == 64
    answer = stranger_client.get("/no/such/page/")
    assert "hx-headers" not in answer.content.decode()
    assert not answer.cookies


@pytest.mark.django_db
def test_a_user_is_named_and_logs_out_by_post(member_client) -> None:
    html = page(member_client)
    assert "mia-member" in html
    assert re.search(r'<form method="post" action="/logout/">\s*<input type="hidden" name="csrf', html)


@pytest.mark.django_db
def test_a_stranger_is_offered_the_login_and_comes_back(stranger_client) -> None:
    assert 'href="/login/?next=%2Fno%2Fpage%2F%3Fa%3Db"' in page(stranger_client, "/no/page/?a=b")
    assert "/login/?next=" not in page(stranger_client, "/login/")


@pytest.mark.django_db
def test_the_current_item_is_marked(member_client, monkeypatch) -> None:
    monkeypatch.setattr(hooks, "nav_items", [NavItem("Tokens", "tokens", 1), NavItem("Log", "login", 2)])
    html = page(member_client)
    assert 'href="/tokens/" aria-current="page">Tokens<' in html
    assert html.count("aria-current") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("level", "role"), [("danger", "alert"), ("warning", "status"), ("info", "status")])
def test_banners_stand_on_top_and_are_announced(member_client, monkeypatch, level, role) -> None:
    banner = Banner(level, "Data are <old>.", "tokens", "Mend it")
    monkeypatch.setattr(hooks, "banner_sources", [lambda now: [banner]])
    html = page(member_client)
    assert f'<div class="alert alert-{level} banner" role="{role}">' in html
    assert "Data are &lt;old&gt;." in html
    assert '<a class="alert-link" href="/tokens/">Mend it</a>' in html
    assert html.index("banner") < html.index("<main")


@pytest.mark.parametrize(
    ("level", "css", "role"),
    [
        (messages.SUCCESS, "alert-success", "status"),
        (messages.INFO, "alert-info", "status"),
        (messages.WARNING, "alert-warning", "status"),
        (messages.ERROR, "alert-danger", "alert"),
        (messages.DEBUG, "alert-secondary", "status"),
    ],
    ids=["success", "info", "warning", "error", "debug"],
)
def test_messages_are_shown(level, css, role) -> None:
    message = Message(level, "Saved.")
    html = render_to_string("includes/messages.html", {"messages": [message]})
    assert f'class="alert {css} breakable" role="{role}">Saved.<' in html


def test_a_state_is_a_word_and_not_only_a_colour() -> None:
    html = render_to_string("includes/state.html", {"state": "down", "label": "is down"})
    assert html.strip() == '<span class="state state-down">is down</span>'
    assert 'class="state state-up">up<' in render_to_string("includes/state.html", {"state": "up"})


def test_the_base_template_needs_no_request() -> None:
    assert "<main" in get_template("base.html").render({})
    assert "<main" in get_template("base.html").render({}, RequestFactory().get("/"))


def colours(theme: str) -> dict[str, str]:
    block = found(rf'\[data-bs-theme="{theme}"\] \{{([^}}]+)\}}', STYLESHEET.read_text())
    return dict(re.findall(r"--djamon-([a-z-]+): #([0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", ["up", "failing", "down", "unknown", "paused"])
def test_every_state_can_be_read(theme, state) -> None:
    colour = colours(theme)
    assert contrast(colour[state], colour[f"{state}-surface"]) >= 4.5
    assert contrast(colour[state], colour["surface"]) >= 4.5
    assert re.search(rf'\.state-{state}::before \{{\s*content: "[●▲■○‖]"', STYLESHEET.read_text())
