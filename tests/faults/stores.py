"""A database that can be put back to a kept state within milliseconds: a file, or one of a server."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import SERVER, Instance, _named, _on_server


@dataclass
class Store:
    instance: Instance

    def keep(self) -> None:
        raise NotImplementedError

    def restore(self) -> None:
        raise NotImplementedError


class FileStore(Store):
    def keep(self) -> None:
        with self.instance.connect() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.instance.sqlite_path, f"{self.instance.sqlite_path}.kept")

    def restore(self) -> None:
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(self.instance.sqlite_path + ending).unlink()
        shutil.copy(f"{self.instance.sqlite_path}.kept", self.instance.sqlite_path)


@dataclass
class ServerStore(Store):
    name: str

    def keep(self) -> None:
        _on_server(f"CREATE DATABASE {self.name}_kept TEMPLATE {self.name}")

    def restore(self) -> None:
        _on_server(f"DROP DATABASE {self.name} WITH (FORCE)")
        _on_server(f"CREATE DATABASE {self.name} TEMPLATE {self.name}_kept")


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """An empty, migrated installation, on TEST_DATABASE_URL's server where that is set."""
    if not SERVER:
        store: Store = FileStore(Instance(folder, f"sqlite:///{folder / 'db.sqlite3'}"))
        store.instance.must("migrate", "-v0")
        yield store
        return
    name = f"djamon_faults_{uuid.uuid4().hex[:8]}"
    _on_server(f"CREATE DATABASE {name}")
    store = ServerStore(Instance(folder, _named(name)), name)
    try:
        store.instance.must("migrate", "-v0")
        yield store
    finally:
        _on_server(f"DROP DATABASE {name} WITH (FORCE)")
        _on_server(f"DROP DATABASE IF EXISTS {name}_kept WITH (FORCE)")
