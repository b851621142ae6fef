"""Tokens of all users: to be seen and deleted, never made or changed here."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("name", "user", "prefix", "scopes", "created", "last_used", "expires", "revoked")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    exclude = ("sha256",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  (Django's signature)
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:  # noqa: ARG002
        return False
