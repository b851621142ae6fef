"""The outbox in Django's admin: to be looked at, never changed by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

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
