"""The web process: Django behind uvicorn, and in front of it what stays open for long."""

import os
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
from monitor import board  # noqa: E402
from monitor.live import home_events  # noqa: E402

doors = Doors(settings.EVENTS_MAX_CLIENTS)
make_room(doors.limit)
metric_sources.append(doors.figures)
streams = {
    "/events/sites": home_events(board.draw, board.fingerprint, doors),
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams by their path, all else to Django."""
    await streams.get(scope.get("path", ""), django)(scope, receive, send)
