"""Registers what the monitor adds to the frame of all pages."""

from django.apps import AppConfig

from alerts.subjects import Ledger, ledgers
from djamon.lib.hooks import NavItem, key_words, nav_items

KEY_DIGITS = 19  # of the largest key


class MonitorConfig(AppConfig):
    name = "monitor"

    def ready(self) -> None:
        nav_items.append(NavItem("Home", "home", 10))
        nav_items.append(NavItem("Outages", "outages", 20))
        nav_items.append(NavItem("Add site", "site_add", 30, audience="staff"))
        key_words["group"] = self._group
        ledgers["outage"] = Ledger("outages", "See the outages")

    def _group(self, key: str) -> str | None:
        if not (key.isascii() and key.isdecimal() and len(key) < KEY_DIGITS):
            return None
        group = self.get_model("Group")._default_manager.filter(pk=key).first()
        return str(group) if group else None
