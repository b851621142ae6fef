"""API tokens. People are Django's own users and groups."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class ApiToken(models.Model):
    """What a program shows instead of a password; only the hash of its secret is kept."""

    class Scope(models.TextChoices):
        READ = "read", "read: fetch JSON"
        PUSH = "push", "push: send measurements"
        ADMIN = "admin", "admin: everything"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="Where it is used, so that you know it again.")
    prefix = models.CharField(max_length=8, editable=False)  # the secret's beginning, to recognise it by
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)  # a list of Scope's values
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def allows(self, scope: str) -> bool:
        """Whether it opens ``scope``; admin implies all."""
        return scope in self.scopes or self.Scope.ADMIN in self.scopes

    def is_usable(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)

    @property
    def shown_state(self) -> str:
        """``revoked``, ``expired`` or ``active``: what the page says."""
        if self.revoked is not None:
            return "revoked"
        return "active" if self.is_usable(timezone.now()) else "expired"
