from django.urls import path

from jobs import views

urlpatterns = [
    path("jobs/", views.jobs, name="jobs"),
    path("jobs/<str:name>/run/", views.run_now, name="run_now"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.metrics_text, name="metrics"),
]
