"""What all tests share: people, clients, and a network that ends at this machine."""

from __future__ import annotations

import socket
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from monitor import uptimes
from tests import scheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduling.scheduler(config, log)


def pytest_configure() -> None:
    # No collectstatic in tests: names of static files stay as they are in the templates.
    django_settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    # On a fresh clone nothing has been collected, and the middleware warns where there is no folder.
    django_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    # How long an example takes says how busy the machine is.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")
    # The rule under test is never the hash; this one is quick.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python socket that leaves loopback fails the test that opened it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"::1", "localhost"}


@pytest.fixture(autouse=True)
def _no_uptime_of_other_tests() -> None:
    """The figures that the process keeps are of another test's rows."""
    uptimes.kept.clear()


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("sam-staff", password="a long password", is_staff=True)


@pytest.fixture
def member(db: None) -> User:
    return User.objects.create_user("mia-member", password="a long password")


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def member_client(member: User) -> Client:
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def stranger_client(db: None) -> Client:
    return Client()
