"""The monitor's pages; its JSON is in monitor.api. What staff change is below /manage/."""

from django.urls import path

from monitor import bulk_views, check_views, edit_views, outage_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("site/<slug:slug>/", views.site, name="site"),
    path("site/<slug:slug>/recent/", views.site_recent, name="site_recent"),
    path("outages/", views.outages, name="outages"),
    path("outage/", views.outage, name="outage_current"),
    path("outage/<int:pk>/", views.outage, name="outage"),
    path("manage/outage/<int:pk>/note/", outage_views.note_add, name="note_add"),
    path("manage/note/<int:pk>/edit/", outage_views.note_edit, name="note_edit"),
    path("manage/note/<int:pk>/delete/", outage_views.note_delete, name="note_delete"),
    path("manage/group/add/", edit_views.group_add, name="group_add"),
    path("manage/group/<slug:slug>/edit/", edit_views.group_edit, name="group_edit"),
    path("manage/group/<slug:slug>/delete/", edit_views.group_delete, name="group_delete"),
    path("manage/sites/", bulk_views.sites_manage, name="sites_manage"),
    path("manage/sites/add/", bulk_views.sites_add, name="sites_add"),
    path("manage/sites/import/", bulk_views.sites_import, name="sites_import"),
    path("manage/sites/delete/", bulk_views.sites_delete, name="sites_delete"),
    path("manage/site/add/", edit_views.site_add, name="site_add"),
    path("manage/site/<slug:slug>/check/", check_views.site_check, name="site_check"),
    path("manage/site/<slug:slug>/edit/", edit_views.site_edit, name="site_edit"),
    path("manage/site/<slug:slug>/pause/", edit_views.site_pause, name="site_pause"),
    path("manage/site/<slug:slug>/delete/", edit_views.site_delete, name="site_delete"),
]
