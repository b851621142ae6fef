"""The web process: Django behind uvicorn, and in front of it what stays open for long."""

import gc
import os
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djamon.settings")
# Under ASGI every request may come on a thread of its own: connections are pooled, not kept per thread.
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

import django
from django.conf import settings

from djamon.lib.garbage import search_seldom
from djamon.lib.hooks import metric_sources
from djamon.lib.streaming import Doors, Receive, Scope, Send, make_room

django.setup(set_prefix=False)

# What follows needs the apps to be loaded.
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from djamon.lib.handler import Handler  # noqa: E402
from monitor import board  # noqa: E402
from monitor.live import site_events  # noqa: E402
from timings.live import timings_events  # noqa: E402

WARM_UP_S = 5.0
OBJECTS_OF_AN_ANSWER = 20_000  # of a large one; to search after each 700 took a tenth of its time

doors = Doors(settings.EVENTS_MAX_CLIENTS)
make_room(doors.limit)
metric_sources.append(doors.figures)
pages = Handler()
streams: dict[str, Any] = {
    "/events/sites": site_events(board.draw, board.fingerprint, doors),
    "/events/timings": timings_events(doors),
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams by their path, all else to Django."""
    await streams.get(scope.get("path", ""), pages)(scope, receive, send)


def _warm_up() -> None:
    """What the first visitor would wait for, half a second: the code of all pages, and uptimes to be kept."""
    with suppress(Exception):  # whoever asks first meets the same error, and is told
        import_module(settings.ROOT_URLCONF)
        board.draw(timezone.now(), ["user"])
    connections.close_all()


# Nobody is let in before, but where the database keeps us waiting somebody should hear of it.
warm = Thread(target=_warm_up, name="warm-up", daemon=True)
warm.start()
warm.join(WARM_UP_S)
# What is loaded stays: to look through all of it for garbage would stop everybody for 60 ms, now and again.
gc.collect()
gc.freeze()
search_seldom(OBJECTS_OF_AN_ANSWER)
