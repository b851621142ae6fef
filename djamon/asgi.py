"""The web process: Django behind uvicorn, and in front of it what stays open for long."""

import os
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djamon.settings")
# Under ASGI every request may come on a thread of its own: connections are pooled, not kept per thread.
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

from django.conf import settings
from django.core.asgi import get_asgi_application

from djamon.lib.hooks import metric_sources
from djamon.lib.streaming import Doors, Receive, Scope, Send, make_room

django: Any = get_asgi_application()

# What follows needs the apps to be loaded.
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitor import board  # noqa: E402
from monitor.live import site_events  # noqa: E402
from timings.live import timings_events  # noqa: E402

doors = Doors(settings.EVENTS_MAX_CLIENTS)
make_room(doors.limit)
metric_sources.append(doors.figures)
streams = {
    "/events/sites": site_events(board.draw, board.fingerprint, doors),
    "/events/timings": timings_events(doors),
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams by their path, all else to Django."""
    await streams.get(scope.get("path", ""), django)(scope, receive, send)


def _warm_up() -> None:
    """What the first visitor would wait for, half a second: the code of all pages, and uptimes to be kept."""
    with suppress(Exception):  # whoever asks first meets the same error, and is told
        import_module(settings.ROOT_URLCONF)
        board.draw(timezone.now(), ["user"])
    connections.close_all()


Thread(target=_warm_up, name="warm-up", daemon=True).start()
