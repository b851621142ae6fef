"""Registers what the outbox tells the pages, /healthz, /metrics and `manage.py check`."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        from alerts import checks, watch  # noqa: F401, PLC0415  (models are loaded only now; checks register)
        from djamon.lib import hooks  # noqa: PLC0415

        hooks.banner_sources.append(watch.banners)
        hooks.health_sources.append(watch.health)
        hooks.metric_sources.append(watch.metrics)
