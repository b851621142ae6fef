"""Installations and peers are those of the end-to-end tests."""

from __future__ import annotations

from tests.e2e.conftest import instance, mail, template, web

__all__ = ["instance", "mail", "template", "web"]
