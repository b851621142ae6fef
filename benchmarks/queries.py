"""How many queries a page takes, the first time and again: a program that runs inside an installation."""

from __future__ import annotations

import json
import sys

import django
from django.db import connection
from django.test.utils import CaptureQueriesContext


def main() -> None:
    """Prints JSON: for each path of the command line the queries of two answers, one after the other."""
    django.setup()
    from django.contrib.auth.models import User  # noqa: PLC0415  (there are no models before the set-up)
    from django.test import Client  # noqa: PLC0415

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.all()[:1].get(), backend="django.contrib.auth.backends.ModelBackend")
    print(json.dumps([[_queries(client, path), _queries(client, path)] for path in sys.argv[1:]]))


def _queries(client: object, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)  # type: ignore[attr-defined]
    if answer.status_code != 200:
        raise SystemExit(f"{path} was answered with {answer.status_code}")
    return len(captured)


if __name__ == "__main__":
    main()
