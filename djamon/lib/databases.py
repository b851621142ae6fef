"""Turns DATABASE_URL into Django's database settings, tuned for each of the two stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
OUR_POSTGRESQL = "djamon.lib.postgresql"

# WAL lets readers go on while one writes; NORMAL loses no consistency under WAL, only the last
# commits at a power cut; the sizes suit a machine of 512 MiB.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA mmap_size=134217728",
    "PRAGMA cache_size=-16000",
    "PRAGMA journal_size_limit=67108864",
    # Pages, 32 MiB: the receiver of timings would fill the usual thousand some four times a second.
    "PRAGMA wal_autocheckpoint=8000",
)
CONNECT_TIMEOUT_S = 5


def database_from_url(url: str, *, base_dir: Path, pool_size: int, wait_s: float) -> dict[str, Any]:
    """Settings for SQLite or PostgreSQL; ``pool_size`` 0 means a connection for each who asks.

    Whoever finds the file or a row locked gives up after ``wait_s`` seconds: SQLite has one writer at a time,
    and PostgreSQL would otherwise wait for ever. A relative SQLite path starts at ``base_dir``.
    Raises ImproperlyConfigured, naming DATABASE_URL, for any other store.
    """
    # Asked first, because django-environ warns of an address it does not know by printing its password.
    scheme, _, rest = url.partition("://")
    if environ.Env.DB_SCHEMES.get(scheme) not in (SQLITE, POSTGRESQL):
        raise ImproperlyConfigured("DATABASE_URL: only sqlite:// and postgres:// addresses are supported")
    if not rest.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL: names no database")
    try:
        database: dict[str, Any] = dict(environ.Env.db_url_config(url))
    except (ValueError, ImproperlyConfigured):
        # The words of the error may be a part of the password.
        raise ImproperlyConfigured(
            "DATABASE_URL: cannot be read; signs such as / and @ in a password are written %2F and %40"
        ) from None
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == SQLITE:
        database["NAME"] = _sqlite_name(str(database["NAME"]), base_dir)
        options.update(timeout=wait_s, transaction_mode="IMMEDIATE", init_command=";".join(SQLITE_PRAGMAS))
    else:
        database["ENGINE"] = OUR_POSTGRESQL
        options.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
        options.setdefault("options", f"-c lock_timeout={int(wait_s * 1000)}")
        if pool_size:
            options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 10}
    return database


def _sqlite_name(name: str, base_dir: Path) -> str:
    if name == ":memory:" or name.startswith("file:"):
        return name
    path = base_dir / name
    if path.parent == base_dir / "var":  # the default's folder is not in the repository
        path.parent.mkdir(mode=0o700, exist_ok=True)  # it holds password hashes
    return str(path)
