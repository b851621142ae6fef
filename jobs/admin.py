"""The rows of jobs in the admin, to look at: they are records and locks, not settings."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from jobs.models import Checkpoint, JobRun, Lease


class ReadOnly:
    """Mixin: nothing can be added, changed or deleted."""

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(JobRun)
class JobRunAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "state", "trigger", "started", "finished", "message", "host")
    list_filter = ("name", "state", "trigger")
    date_hierarchy = "started"


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("job", "key", "value", "updated")


@admin.register(Lease)
class LeaseAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "fence", "host", "pid", "acquired", "renewed", "expires")
