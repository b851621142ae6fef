"""The pages of timings; their JSON is in timings.api, and limits have addresses of their own before these."""

from django.urls import path

from timings import pages
from timings.converters import ANY_KEY

urlpatterns = [
    path("timings/", pages.functions, name="timings"),
    path(f"timings/<{ANY_KEY}:key>", pages.function, name="timings_key"),
]
