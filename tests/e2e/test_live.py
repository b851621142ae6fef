"""Home's stream of a whole installation: what another process writes arrives, and the end comes at once."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from tests.djamon.streamserver import Reader
from tests.e2e.conftest import LIMIT_S, Instance
from tests.e2e.whole import up

PATH = "/events/sites"
# uvicorn complains after 3 s that a connection is still open.
AT_ONCE_S = 3


def board(reader: Reader) -> Any:
    said = reader.message()
    assert said is not None
    assert said.event == "board"
    return said.json


def test_what_another_process_writes_arrives(instance: Instance) -> None:
    instance.add_sites(Shop="http://127.0.0.1:9/")
    with up(instance) as (port, _), Reader(port, PATH, Accept_Encoding="gzip") as reader:
        first = board(reader)
        assert "Shop" in str(first["pieces"])
        with instance.connect() as database:
            database.execute("UPDATE monitor_site SET name = 'Bakery'")
        changed = board(reader)
    assert "Bakery" in str(changed["pieces"])
    assert (changed["frames"], changed["order"]) == ({}, {})


def test_who_says_what_is_shown_hears_nothing_twice(instance: Instance) -> None:
    instance.add_sites(Shop="http://127.0.0.1:9/", Bank="http://127.0.0.1:9/bank")
    with up(instance) as (port, _), Reader(port, PATH) as reader:
        tag = board(reader)["tag"]
        with Reader(port, f"{PATH}?tag={tag}") as other:
            with instance.connect() as database:
                database.execute("UPDATE monitor_site SET name = 'Bakery' WHERE name = 'Shop'")
            assert "Bank" not in str(board(other)["pieces"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streams_do_not_keep_the_process(instance: Instance, number) -> None:
    instance.add_sites(Shop="http://127.0.0.1:9/")
    with up(instance) as (port, process), Reader(port, PATH) as one, Reader(port, PATH, buffer=4096):
        tag = board(one)["tag"]
        with Reader(port, f"{PATH}?tag={tag}", Accept_Encoding="gzip") as quiet:
            assert quiet.block() == "retry: 2000"
            started = time.monotonic()
            process.send_signal(number)
            assert one.message() is quiet.message() is None
            _, errors = process.communicate(timeout=LIMIT_S)
    assert time.monotonic() - started < AT_ONCE_S
    assert [line for line in errors.splitlines() if "ERROR" in line or "Cancel" in line] == []
