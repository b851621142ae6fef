"""Registers what the monitor adds to the frame of all pages."""

from django.apps import AppConfig

from alerts.subjects import Ledger, ledgers
from djamon.lib.hooks import NavItem, nav_items


class MonitorConfig(AppConfig):
    name = "monitor"

    def ready(self) -> None:
        nav_items.append(NavItem("Home", "home", 10))
        nav_items.append(NavItem("Outages", "outages", 20))
        nav_items.append(NavItem("Add site", "site_add", 30, audience="staff"))
        ledgers["outage"] = Ledger("outages", "See the outages")
