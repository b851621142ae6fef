"""What `manage.py up` runs: the table of processes, and where the web listens."""

from __future__ import annotations

import errno
import os
import socket
import sys

from django.conf import settings

from djamon.lib.commands import DjamonError
from jobs.child import Service
from jobs.launch import manage

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  (what to call it, not to bind)
CONNECT_S = 0.5


class CannotListen(DjamonError):  # noqa: N818  (says what is)
    """The address is taken, or this machine does not have it, or we may not use it."""


def services() -> tuple[Service, ...]:
    """One line a process and when it is wanted; others are added here."""
    table = (
        (True, Service("web", web_command())),
        (settings.SCHEDULER, Service("scheduler", tuple(manage("scheduler")))),
        (settings.KODEMON, Service("kodemon", tuple(manage("kodemon")))),
    )
    return tuple(service for wanted, service in table if wanted)


def web_command() -> tuple[str, ...]:
    # Whose X-Forwarded-For is believed is djamon.lib.clientip's affair: uvicorn must not touch the peer.
    words = (
        f"-m uvicorn djamon.asgi:application --host {settings.HOST} --port {settings.PORT} "
        "--timeout-graceful-shutdown 3 --no-access-log --log-level warning --no-proxy-headers "
        "--no-server-header --lifespan off --ws none"
    )
    return (sys.executable, *words.split(), "--app-dir", str(settings.BASE_DIR))


def check_port(host: str, port: int) -> None:
    """Raises CannotListen, in the operator's words, where the web could not listen there."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListen(f"HOST={host} is no address of this machine: {error.strerror}") from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
            trial.listen(1)  # with SO_REUSEADDR a bind alone may succeed beside one that listens
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = os.strerror(error.errno or 0).lower()
                raise CannotListen(f"Cannot listen on port {port} of {host}: {reason}") from None
            another = f"make run PORT={port % 65535 + 1}"
            raise CannotListen(f"Port {port} on {host} is taken; choose another: {another}") from None


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the web."""
    name = ANYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def answers(host: str, port: int) -> bool:
    """uvicorn listens only once the application is loaded, so a connection is enough of an answer."""
    try:
        socket.create_connection((ANYWHERE.get(host, host), port), CONNECT_S).close()
    except OSError:
        return False
    return True
