from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory
from django.urls import reverse

from djamon import __version__
from djamon.lib import hooks
from djamon.lib.hooks import Banner, NavItem, page_frame

ITEMS = [
    NavItem("Edit", "edit", 30, "staff"),
    NavItem("Home", "home", 10),
    NavItem("Tokens", "tokens", 20, "users"),
]
STRANGER = AnonymousUser()
MEMBER = User(username="mia")
STAFF = User(username="sam", is_staff=True)

CASES = {
    "stranger": (STRANGER, False, []),
    "stranger, public status": (STRANGER, True, ["Home"]),
    "no session": (None, True, ["Home"]),
    "member": (MEMBER, False, ["Home", "Tokens"]),
    "staff": (STAFF, False, ["Home", "Tokens", "Edit"]),
}

SAID = [
    Banner("danger", "sandbox 10.0.0.1:8080 refused", "jobs", "See the jobs", public_text="Old."),
    Banner("warning", "mail.internal: login refused", "outages"),
]


def frame(user) -> dict[str, Any]:
    request = RequestFactory().get("/")
    if user is not None:
        request.user = user
    return page_frame(request)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(hooks, "nav_items", ITEMS)
    monkeypatch.setattr(
        hooks, "banner_sources", [lambda now: [Banner("info", f"It is {now:%Y}.", public_text="It is.")]]
    )


@pytest.mark.parametrize(("user", "public", "labels"), CASES.values(), ids=CASES)
def test_each_viewer_is_shown_what_they_may_follow(registered, settings, user, public, labels) -> None:
    settings.PUBLIC_STATUS = public
    assert [item.label for item in frame(user)["nav"]()] == labels


@pytest.mark.parametrize(("user", "public", "labels"), CASES.values(), ids=CASES)
def test_banners_are_for_whoever_may_read(registered, settings, user, public, labels) -> None:
    settings.PUBLIC_STATUS = public
    assert len(frame(user)["banners"]()) == bool(labels)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(STRANGER, [Banner("danger", "Old.")], id="stranger"),
        pytest.param(None, [Banner("danger", "Old.")], id="no-session"),
        pytest.param(MEMBER, SAID, id="member"),
        pytest.param(STAFF, SAID, id="staff"),
    ],
)
def test_strangers_read_what_is_public_and_no_link(monkeypatch, settings, user, expected) -> None:
    settings.PUBLIC_STATUS = True
    monkeypatch.setattr(hooks, "banner_sources", [lambda now: SAID])
    assert frame(user)["banners"]() == expected


def test_the_sources_are_asked_only_where_banners_are_shown(monkeypatch) -> None:
    asked: list[datetime] = []

    def source(now: datetime) -> list[Banner]:
        asked.append(now)
        return []

    monkeypatch.setattr(hooks, "banner_sources", [source])
    shown = frame(MEMBER)
    assert asked == []
    shown["banners"]()
    assert len(asked) == 1


def test_the_version_is_part_of_the_frame() -> None:
    assert frame(STRANGER)["version"] == __version__


@pytest.mark.parametrize("item", hooks.nav_items, ids=lambda item: item.url_name)
def test_every_item_that_an_app_announced_leads_somewhere(item) -> None:
    assert reverse(item.url_name).startswith("/")
