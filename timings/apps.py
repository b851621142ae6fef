"""The app of timings: how long functions take."""

from django.apps import AppConfig


class TimingsConfig(AppConfig):
    name = "timings"
