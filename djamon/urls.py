"""All URLs: each app brings its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("jobs.urls")),
    path("", include("monitor.urls")),
    path("", include("timings.limit_urls")),
    path("", include("timings.urls")),
    path("", include("djamon.api")),
]

handler400 = "djamon.error_pages.bad_request"
handler403 = "djamon.error_pages.permission_denied"
handler404 = "djamon.error_pages.page_not_found"
handler500 = "djamon.error_pages.server_error"
