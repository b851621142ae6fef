"""Tells another watcher that a run has taken place, so that a dead cron is noticed elsewhere."""

from __future__ import annotations

import logging

from django.conf import settings

TIMEOUT_S = 5

logger = logging.getLogger(__name__)


def beat() -> None:
    """Call HEARTBEAT_URL, if one is set; a watcher that cannot be reached is logged and nothing more."""
    if not settings.HEARTBEAT_URL:
        return
    import requests  # noqa: PLC0415  (most runs have nobody to call, and it takes 0.1 s to load)

    try:
        with requests.Session() as session:
            session.trust_env = False
            session.get(settings.HEARTBEAT_URL, timeout=TIMEOUT_S, allow_redirects=False).raise_for_status()
    except requests.RequestException as error:
        logger.warning("HEARTBEAT_URL was not reached: %s", error)
