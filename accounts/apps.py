from django.apps import AppConfig

from djamon.lib.hooks import NavItem, nav_items


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        nav_items.append(NavItem("Tokens", "tokens", order=80, audience="users"))
        nav_items.append(NavItem("Admin", "admin:index", order=90, audience="staff"))
