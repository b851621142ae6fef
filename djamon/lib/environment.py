"""Reads settings from the environment and refuses bad values by the variable's name.

Owns the reading and the record of what was read (the settings page of the docs is checked against it);
decides nothing about what a setting means.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRUE_WORDS = {"1", "true", "yes", "on", "y"}
FALSE_WORDS = {"0", "false", "no", "off", "n", ""}


@dataclass
class Environment:
    """The process environment over an optional ``.env`` file; variables of the process win."""

    env: Any = field(default_factory=environ.Env)
    defaults: dict[str, str] = field(default_factory=dict)
    process_names: frozenset[str] = field(default_factory=lambda: frozenset(os.environ))

    def read_file(self, path: Path) -> None:
        """Take what ``path`` sets and the process does not; a missing file is no mistake."""
        if not path.is_file():
            return
        try:
            with path.open(encoding="utf-8") as file:
                self.env.read_env(file)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{path}: cannot be read: {error}") from error

    @property
    def set_by_process(self) -> frozenset[str]:
        """Settings that the process environment gave, not the file: cron would not see them."""
        return self.process_names & set(self.defaults)

    def text(self, name: str, default: str = "") -> str:
        """The value as it stands there: ``$`` begins a password, not the name of another variable."""
        self.defaults[name] = default
        return str(self.env.ENVIRON.get(name, default)).strip()

    def flag(self, name: str, default: bool) -> bool:
        word = self.text(name, str(default)).lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise ImproperlyConfigured(f"{name}: {word!r} is neither true nor false")

    def integer(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        return int(self._number(name, str(default), at_least, at_most, int))

    def seconds(self, name: str, default: float, *, at_least: float, at_most: float) -> float:
        return self._number(name, f"{default:g}", at_least, at_most, float)

    def _number(
        self, name: str, default: str, low: float, high: float, kind: type[int] | type[float]
    ) -> float:
        word = self.text(name, default)
        try:
            number = kind(word)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ImproperlyConfigured(f"{name}: {word!r} is not {what}") from None
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name}: {word} is not between {low:,} and {high:,}")
        return number

    def words(self, name: str, default: str = "") -> list[str]:
        """A list separated by commas; empty parts drop out."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def networks(self, name: str, default: str = "") -> tuple[Network, ...]:
        """Addresses and networks (``10.0.0.0/8``), separated by commas."""
        try:
            return tuple(ipaddress.ip_network(word, strict=False) for word in self.words(name, default))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None

    def codes(self, name: str, default: str) -> frozenset[int]:
        """HTTP status codes, separated by commas."""
        words = self.words(name, default)
        for word in words:
            if not re.fullmatch(r"[1-5]\d\d", word):
                raise ImproperlyConfigured(f"{name}: {word!r} is not an HTTP status code (100 to 599)")
        if not words:
            raise ImproperlyConfigured(f"{name}: names no code, so no site could ever be up")
        return frozenset(map(int, words))

    def urls(self, name: str, default: str = "") -> list[str]:
        """HTTP(S) addresses, separated by commas."""
        return [self._checked_url(name, word) for word in self.words(name, default)]

    def url(self, name: str, default: str = "") -> str:
        """One HTTP(S) address without the slash at its end, or nothing."""
        word = self.text(name, default)
        return self._checked_url(name, word).rstrip("/") if word else ""

    @staticmethod
    def _checked_url(name: str, word: str) -> str:
        try:
            parts = urlsplit(word)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ImproperlyConfigured(f"{name}: {word!r} is not an http:// or https:// address")
        return word
