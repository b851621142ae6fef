"""The outbox in Django's admin: to be looked at. What waits can be given up; nothing else is changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from alerts import ledger
from alerts.models import Alert, Attempt, Delivery


class ReadOnly:
    """What is written here was said to people: nobody edits it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class DeliveryInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Delivery
    fields = ("channel", "address", "state", "tries", "next_try", "sent_at", "last_result")


class AttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Attempt


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("subject", "reference", "created", "expires")
    search_fields = ("reference", "subject")
    date_hierarchy = "created"
    inlines = (DeliveryInline,)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("alert", "channel", "address", "state", "tries", "next_try", "sent_at", "last_result")
    list_filter = ("state", "channel")
    list_select_related = ("alert",)
    inlines = (AttemptInline,)
    actions = ("give_up",)

    def has_give_up_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_delivery")

    @admin.action(description="Give up: no longer try", permissions=["give_up"])
    def give_up(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """For an address that is no more: otherwise it is tried for a day, and every page says so."""
        keys = list(chosen.values_list("pk", flat=True))
        count = ledger.drop(keys, by=request.user.get_username(), now=timezone.now())
        self.message_user(
            request, f"Given up: {count} of {len(keys)}. The others were sent or are under way."
        )
