"""Django's admin over the monitor: the same forms and the same rules (monitor.editing) as the pages.

Outages and results are read-only: runs alone write them.
"""
# ruff: noqa: ARG002  (Django gives every method the request)

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property

from monitor import editing, queries
from monitor.forms import PlainGroupForm, PlainSiteForm
from monitor.models import Group, Outage, OutageSites, Site, SiteView


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Pages through the first ``most`` rows and counts no further: the table grows with each run."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        return cast("QuerySet[Any]", self.object_list)[: self.most].count()


class ReadOnly:
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any) -> bool:
        return False


class SummedDeletion:
    """Django lists each row that a deletion takes along; here these may be millions, so they are counted."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, Any], set[str], list[str]]:
        names = [str(row) for row in objs]
        sites = [row.pk for row in objs if isinstance(row, Site)]
        groups = [row.pk for row in objs if isinstance(row, Group)]
        gone = Site.objects.filter(group__in=groups) if groups else Site.objects.filter(pk__in=sites)
        return [*names, queries.views_in_words(gone)], {"sites": gone.count()}, set(), []


class DeletedByPages(SummedDeletion):
    """Deleting one row is left to its own page: Django's would do all of it in one transaction.

    The list's action goes in the short steps of monitor.editing.
    """

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None or not self.has_delete_permission(request, row):  # type: ignore[attr-defined]
            return super().delete_view(request, object_id, extra_context)  # type: ignore[misc,no-any-return]
        return redirect(f"{row._meta.model_name}_delete", row.slug)


class SiteAdminForm(PlainSiteForm):
    class Meta(PlainSiteForm.Meta):
        fields = (*PlainSiteForm.Meta.fields, "enabled")


@admin.register(Group)
class GroupAdmin(DeletedByPages, admin.ModelAdmin):  # type: ignore[type-arg]
    form = PlainGroupForm
    list_display = ("name", "slug", "internal")
    search_fields = ("name",)
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        if change:
            editing.edit_group(obj, form.changed_data)
        else:
            editing.add_group(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group_id in list(queryset.values_list("pk", flat=True)):
            editing.delete_group(group_id, timezone.now())


@admin.register(Site)
class SiteAdmin(DeletedByPages, admin.ModelAdmin):  # type: ignore[type-arg]
    form = SiteAdminForm
    list_display = ("name", "group", "url", "shown_state", "last_checked")
    list_select_related = ("group",)
    autocomplete_fields = ("group",)
    search_fields = ("name", "url")
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Site, form: Any, change: bool) -> None:
        if not change:
            editing.add_site(obj)
            return
        editing.edit_site(obj, [name for name in form.changed_data if name != "enabled"])
        if "enabled" in form.changed_data:
            switch = editing.resume_site if obj.enabled else editing.pause_site
            switch(obj.pk, timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Site]) -> None:
        editing.delete_sites(list(queryset.values_list("pk", flat=True)), timezone.now())


class FallInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OutageSites
    fields = ("site_name", "site_url", "reason", "fell_at", "back_at", "ending")
    readonly_fields = fields
    extra = 0


@admin.register(Outage)
class OutageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "opened_at", "resolved_at")
    inlines = (FallInline,)
    show_full_result_count = False
    paginator = BoundedPaginator


@admin.register(SiteView)
class SiteViewAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("date", "site", "verdict", "code", "reason", "total_ms")
    list_select_related = ("site",)
    ordering = ("-id",)  # UUIDs of version 7 sort by time; the date alone has no index
    show_full_result_count = False
    paginator = BoundedPaginator
