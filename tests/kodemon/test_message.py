"""What a datagram says."""

from __future__ import annotations

import enum
import functools
import math
import time
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.kodemon.listener import TOLD, Listener


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Mute:
    def __str__(self) -> str:
        raise ValueError("nothing to say")

    def __repr__(self) -> str:
        return "Mute()"


def itself() -> list[Any]:
    ring: list[Any] = [1]
    ring.append(ring)
    return ring


def test_a_call_is_one_datagram_with_four_fields(kodemon: Any, listener: Listener) -> None:
    @kodemon
    def foobar() -> None:
        pass

    before = int(time.time())
    foobar()
    [message] = listener.arrived()
    assert set(message) == TOLD
    assert (message["key"], message["token"]) == ("test_message.py-foobar", "test-token")
    assert type(message["timestamp"]) is int
    assert before <= message["timestamp"] <= time.time()
    assert type(message["execution_time"]) is float


def test_execution_time_is_that_of_the_call_in_seconds(kodemon: Any, listener: Listener) -> None:
    @kodemon
    def busy() -> None:
        end = time.perf_counter() + 0.05
        while time.perf_counter() < end:
            pass

    begin = time.perf_counter()
    busy()
    assert 0.05 <= listener.message()["execution_time"] <= time.perf_counter() - begin


def test_timestamp_is_the_start_of_the_call(kodemon: Any, listener: Listener) -> None:
    @kodemon
    def into_the_next_second() -> None:
        begun = int(time.time())
        while int(time.time()) == begun:
            pass

    into_the_next_second()
    assert listener.message()["timestamp"] == int(time.time()) - 1


@pytest.mark.parametrize("count", [1, 100])
def test_each_call_is_told(kodemon: Any, listener: Listener, count: int) -> None:
    @kodemon(n=1)
    def foobar() -> None:
        pass

    for _ in range(count):
        foobar()
    assert listener.keys() == ["test_message.py-foobar"] * count


VALUES = [
    pytest.param("text", "text", id="text"),
    pytest.param('a "quote", \\ and \n', 'a "quote", \\ and \n', id="text that JSON escapes"),
    pytest.param("żółw 🐢", "żółw 🐢", id="text beyond ASCII"),
    pytest.param("half \ud83d", "half ?", id="half a surrogate pair"),
    pytest.param("100%s {x} %", "100%s {x} %", id="what formatting would read"),
    pytest.param(5, 5, id="number"),
    pytest.param(-2.5, -2.5, id="float"),
    pytest.param(2**80, 2**80, id="number beyond 64 bits"),
    pytest.param(True, True, id="true"),
    pytest.param(None, None, id="null"),
    pytest.param(math.nan, "nan", id="NaN"),
    pytest.param(-math.inf, "-inf", id="infinite"),
    pytest.param([1, (2, 3)], [1, [2, 3]], id="lists"),
    pytest.param({"a": {"b": []}}, {"a": {"b": []}}, id="dictionary"),
    pytest.param(OrderedDict(a=1), {"a": 1}, id="ordered dictionary"),
    pytest.param({1: "a", (2, 3): "b"}, {"1": "a", "(2, 3)": "b"}, id="names that are no text"),
    pytest.param({"x": [math.inf, Decimal("1.5")]}, {"x": ["inf", "1.5"]}, id="inner values"),
    pytest.param(date(2026, 11, 22), "2026-11-22", id="date"),
    pytest.param(Decimal("0.10"), "0.10", id="decimal"),
    pytest.param(b"raw", "b'raw'", id="bytes"),
    pytest.param({1}, "{1}", id="set"),
    pytest.param(PurePosixPath("/a/b"), "/a/b", id="path"),
    pytest.param(Colour.RED, "Colour.RED", id="enum"),
    pytest.param(Level.HIGH, 3, id="enum of numbers"),
    pytest.param(itself(), "[1, [...]]", id="list that holds itself"),
    pytest.param(Mute(), "<Mute>", id="str() fails"),
    pytest.param([1, Mute()], "[1, Mute()]", id="inner str() fails"),
    pytest.param(10**5_000, "<int>", id="number that str() refuses"),
]


@pytest.mark.parametrize(("value", "sent"), VALUES)
def test_a_field_of_ones_own(kodemon: Any, listener: Listener, value: object, sent: object) -> None:
    @kodemon(field=value)
    def foobar() -> None:
        pass

    foobar()
    message = listener.message()
    assert message["field"] == sent
    assert set(message) == TOLD | {"field"}


def test_fields_with_any_name(kodemon: Any, listener: Listener) -> None:
    names = {"function": 1, "a b": 2, "": 3, "self": 4, 'quo"te': 5}

    @kodemon(**names)
    def foobar() -> None:
        pass

    foobar()
    message = listener.message()
    assert {name: message[name] for name in names} == names


OVERRIDES = [
    pytest.param({"key": "mine"}, {"key": "mine", "token": "test-token"}, id="key"),
    pytest.param({"token": "t"}, {"key": "test_message.py-foobar", "token": "t"}, id="token"),
    pytest.param({"key": 5, "token": Level.HIGH}, {"key": "5", "token": "3"}, id="no text becomes text"),
    pytest.param(
        {"key": None, "token": ""}, {"key": "test_message.py-foobar", "token": "test-token"}, id="none given"
    ),
    pytest.param({"key": Mute()}, {"key": "<Mute>", "token": "test-token"}, id="key without a str()"),
]


@pytest.mark.parametrize(("given", "sent"), OVERRIDES)
def test_key_and_token_can_be_replaced(
    kodemon: Any, listener: Listener, given: dict[str, object], sent: dict[str, str]
) -> None:
    @kodemon(**given)
    def foobar() -> None:
        pass

    foobar()
    message = listener.message()
    assert {name: message[name] for name in sent} == sent
    assert set(message) == TOLD


def test_what_is_measured_cannot_be_replaced(kodemon: Any, listener: Listener) -> None:
    @kodemon(execution_time="long", timestamp="yesterday")
    def foobar() -> None:
        pass

    foobar()
    message = listener.message()
    assert (type(message["execution_time"]), type(message["timestamp"])) == (float, int)


def test_values_are_read_once(kodemon: Any, listener: Listener) -> None:
    tags = ["a"]

    @kodemon(tags=tags)
    def foobar() -> None:
        pass

    tags.append("b")
    foobar()
    assert listener.message()["tags"] == ["a"]


def spacer(function: Any) -> Any:
    @functools.wraps(function)
    def inner() -> Any:
        return function()

    return inner


def named(path: str, name: str = "foobar") -> Any:
    """A function as it is compiled from a file of that path."""
    space: dict[str, Any] = {}
    exec(compile(f"def {name}(): pass", path, "exec"), space)
    return space[name]


KEYS = [
    pytest.param(named("/srv/app/foo.py"), "foo.py-foobar", id="no folders"),
    pytest.param(named("foo.py", "żółw"), "foo.py-żółw", id="name beyond ASCII"),
    pytest.param(named("/srv/x.zip/foo.py"), "foo.py-foobar", id="in an archive"),
    pytest.param(named("<stdin>"), "<stdin>-foobar", id="typed in"),
    pytest.param(lambda: 0, "test_message.py-<lambda>", id="lambda"),
    pytest.param(spacer(named("a/foo.py")), "foo.py-foobar", id="beneath another decorator"),
    pytest.param(functools.partial(named("foo.py")), "foo.py-foobar", id="partial"),
    pytest.param(time.time, "time-time", id="written in C"),
    pytest.param(functools.lru_cache(named("foo.py")), "foo.py-foobar", id="cached"),
]


@pytest.mark.parametrize(("function", "key"), KEYS)
def test_key_is_file_and_name(kodemon: Any, listener: Listener, function: Any, key: str) -> None:
    kodemon(function)()
    assert listener.keys() == [key]


def test_key_of_an_object_that_can_be_called(kodemon: Any, listener: Listener) -> None:
    class Task:
        def __call__(self) -> int:
            return 7

    assert kodemon(Task())() == 7
    assert listener.keys() == ["test_message.py-Task"]
