"""The app of timings: how long functions take."""

from django.apps import AppConfig

from alerts.subjects import Ledger, ledgers
from djamon.lib.hooks import NavItem, banner_sources, metric_sources, nav_items


class TimingsConfig(AppConfig):
    name = "timings"

    def ready(self) -> None:
        from timings import limit_watch, watch  # noqa: PLC0415  (it needs the models)

        nav_items.append(NavItem("Timings", "timings", 25, audience="users"))
        metric_sources.append(watch.metrics)
        banner_sources.append(limit_watch.banners)
        ledgers["limit"] = Ledger("timings_limits", "See the limits")
