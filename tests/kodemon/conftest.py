"""The decorator as a program has it that began just now."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.kodemon.listener import Listener


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Imports the package anew, with an environment in which it has read nothing yet."""

    def begin(**environment: str) -> Any:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in [name for name in sys.modules if name.partition(".")[0] == "kodemon"]:
            monkeypatch.delitem(sys.modules, name)
        return importlib.import_module("kodemon").kodemon

    return begin


@pytest.fixture
def kodemon(begun: Callable[..., Any], listener: Listener) -> Any:
    """``@kodemon`` that sends to the listener."""
    return begun(**listener.environment)
