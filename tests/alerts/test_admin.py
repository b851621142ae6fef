"""The outbox in the admin: staff look, nobody changes."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert
from alerts.outbox import enqueue
from alerts.queries import undelivered
from tests.alerts.conftest import DRAFT, NOW, Fake


@pytest.fixture
def alert(db: None) -> Alert:
    return enqueue(DRAFT, NOW, [Fake()])


@pytest.fixture
def admin_client(django_user_model: type) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("ada", password="a long password"))  # type: ignore[attr-defined]
    return client


@pytest.mark.parametrize("model", ["alert", "delivery"])
def test_lists_are_shown(admin_client: Client, alert: Alert, model: str) -> None:
    page = admin_client.get(reverse(f"admin:alerts_{model}_changelist"))
    assert (page.status_code, "Shop is down" in page.text) == (200, True)


def test_an_alert_is_shown_with_its_deliveries(admin_client: Client, alert: Alert) -> None:
    page = admin_client.get(reverse("admin:alerts_alert_change", args=[alert.pk]))
    assert (page.status_code, "a@example.org" in page.text) == (200, True)


@pytest.mark.parametrize("action", ["change", "delete"])
def test_nothing_is_changed(admin_client: Client, alert: Alert, action: str) -> None:
    page = admin_client.post(reverse(f"admin:alerts_alert_{action}", args=[alert.pk]), {"post": "yes"})
    assert (page.status_code, Alert.objects.count()) == (403, 1)


def test_nothing_is_added(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:alerts_alert_add")).status_code == 403


def test_members_and_strangers_are_sent_to_the_login(
    member_client: Client, stranger_client: Client, alert: Alert
) -> None:
    address = reverse("admin:alerts_alert_changelist")
    assert [client.get(address).status_code for client in (member_client, stranger_client)] == [302, 302]


def give_up(client: Client, alert: Alert) -> int:
    chosen = list(alert.deliveries.values_list("pk", flat=True))
    data = {"action": "give_up", "_selected_action": chosen}
    return client.post(reverse("admin:alerts_delivery_changelist"), data).status_code


def test_what_waits_is_given_up_and_no_banner_is_left(admin_client: Client, alert: Alert) -> None:
    alert.deliveries.update(last_result="the server refused this address: 550 no such user")
    assert undelivered(NOW).waiting == 1
    give_up(admin_client, alert)
    delivery = alert.deliveries.get()
    assert (delivery.state, delivery.last_result) == ("dropped", "given up by ada")
    assert (undelivered(NOW).waiting, undelivered(NOW).expired) == (0, 0)


def test_what_is_sent_or_under_way_is_left_alone(admin_client: Client, alert: Alert) -> None:
    alert.deliveries.update(claim=uuid4(), lease_until=timezone.now() + timedelta(minutes=1))
    give_up(admin_client, alert)
    assert alert.deliveries.get().state == "pending"


def test_staff_without_the_right_give_up_nothing(staff_client: Client, staff: User, alert: Alert) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    give_up(staff_client, alert)
    assert alert.deliveries.get().state == "pending"
