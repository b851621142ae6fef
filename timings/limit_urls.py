"""URLs of limits; they stand before those of keys, which may hold any path."""

from django.urls import path

from timings import limit_views

urlpatterns = [
    path("timings/limits/", limit_views.limits, name="timings_limits"),
    path("timings/limits/add/", limit_views.limit_add, name="timings_limit_add"),
    path("timings/limits/<int:pk>/", limit_views.limit, name="timings_limit"),
    path("timings/limits/<int:pk>/edit/", limit_views.limit_edit, name="timings_limit_edit"),
    path("timings/limits/<int:pk>/pause/", limit_views.limit_pause, name="timings_limit_pause"),
    path("timings/limits/<int:pk>/delete/", limit_views.limit_delete, name="timings_limit_delete"),
]
