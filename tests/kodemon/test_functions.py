"""Functions of every kind stay what they are, and each call of them is told."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.kodemon.listener import LIMIT_S, Listener


class RefusedError(Exception):
    pass


def plain(value: int = 1, *rest: int, name: str = "n", **more: int) -> tuple[Any, ...]:
    """What it does."""
    return value, rest, name, more


async def coroutine(value: int = 1) -> int:
    """What it does."""
    await asyncio.sleep(0)
    return value


def generator(value: int = 1) -> Iterator[int]:
    """What it does."""
    yield value


async def async_generator(value: int = 1) -> AsyncIterator[int]:
    """What it does."""
    yield value


KINDS = [plain, coroutine, generator, async_generator]
ASKED: list[Callable[[Any], bool]] = [
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
    inspect.isfunction,
]


@pytest.mark.parametrize("function", KINDS, ids=lambda function: function.__name__)
def test_who_asks_a_function_hears_the_same(kodemon: Any, function: Any) -> None:
    decorated = kodemon(function)
    for name in ["__name__", "__qualname__", "__doc__", "__module__"]:
        assert getattr(decorated, name) == getattr(function, name)
    assert inspect.signature(decorated) == inspect.signature(function)
    assert [ask(decorated) for ask in ASKED] == [ask(function) for ask in ASKED]
    assert decorated.__wrapped__ is function


@pytest.mark.parametrize("fields", [None, {}, {"a": 1}], ids=["@kodemon", "@kodemon()", "@kodemon(a=1)"])
def test_arguments_and_result_pass(kodemon: Any, listener: Listener, fields: dict[str, int] | None) -> None:
    decorated = kodemon(plain) if fields is None else kodemon(**fields)(plain)
    assert decorated(5, 6, name="m", x=7) == (5, (6,), "m", {"x": 7})
    assert listener.keys() == ["test_functions.py-plain"]


def test_an_exception_passes_and_is_told(kodemon: Any, listener: Listener) -> None:
    error = RefusedError("no")

    @kodemon
    def refuse() -> None:
        raise error

    with pytest.raises(RefusedError) as caught:
        refuse()
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert listener.keys() == ["test_functions.py-refuse"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_what_ends_a_program_passes_too(kodemon: Any, listener: Listener, error: BaseException) -> None:
    @kodemon
    def end() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        end()
    assert caught.value is error
    assert len(listener.arrived()) == 1


def test_a_recursion_without_end_stays_one(kodemon: Any, listener: Listener) -> None:
    @kodemon
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError):
        deeper()
    deeper_keys = set(listener.keys())
    assert deeper_keys == {"test_functions.py-deeper"}


def test_methods_of_all_kinds(kodemon: Any, listener: Listener) -> None:
    class Shop:
        @kodemon
        def ordinary(self, value: int) -> tuple[Any, int]:
            return self, value

        @classmethod
        @kodemon
        def of_class(cls, value: int) -> tuple[Any, int]:
            return cls, value

        @kodemon(a=1)
        @classmethod
        def of_class_outside(cls, value: int) -> tuple[Any, int]:
            return cls, value

        @staticmethod
        @kodemon
        def static(value: int) -> int:
            return value

        @kodemon
        @staticmethod
        def static_outside(value: int) -> int:
            return value

        @property
        @kodemon
        def prop(self) -> int:
            return 6

    class Corner(Shop):
        pass

    shop = Corner()
    assert shop.ordinary(1) == (shop, 1)
    assert Corner.of_class(2) == shop.of_class_outside(2) == (Corner, 2)
    assert Corner.static(3) == shop.static_outside(3) == 3
    assert shop.prop == 6
    names = ["ordinary", "of_class", "of_class_outside", "static", "static_outside", "prop"]
    assert listener.keys() == [f"test_functions.py-{name}" for name in names]


@pytest.mark.parametrize(
    "what", [RefusedError, 5, "name", property(plain)], ids=["class", "5", "name", "property"]
)
def test_what_is_no_function_is_refused_at_once(kodemon: Any, what: object) -> None:
    with pytest.raises(TypeError, match="is for functions and methods"):
        kodemon(what)


def test_decorated_functions_can_be_pickled_and_copied(kodemon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decorated = kodemon(plain)
    monkeypatch.setitem(globals(), "plain", decorated)
    assert pickle.loads(pickle.dumps(decorated)) is decorated


def test_attributes_of_a_function_stay(kodemon: Any) -> None:
    def marked() -> None:
        pass

    marked.short_description = "kept"  # type: ignore[attr-defined]
    assert kodemon(marked).short_description == "kept"


def test_a_coroutine_is_told_when_it_ends(kodemon: Any, listener: Listener) -> None:
    waiting = kodemon(coroutine)(4)
    assert listener.arrived() == []
    assert asyncio.run(waiting) == 4
    assert listener.keys() == ["test_functions.py-coroutine"]


def test_a_cancelled_coroutine_is_told(kodemon: Any, listener: Listener) -> None:
    @kodemon
    async def sleeper() -> None:
        await asyncio.Event().wait()

    async def program() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sleeper(), timeout=0.01)

    asyncio.run(program())
    assert listener.message()["execution_time"] >= 0.009


def test_a_partial_of_a_coroutine_is_awaited(kodemon: Any, listener: Listener) -> None:
    assert asyncio.run(kodemon(functools.partial(coroutine, 8))()) == 8
    assert listener.keys() == ["test_functions.py-coroutine"]


def test_an_old_coroutine_can_still_be_awaited(kodemon: Any, listener: Listener) -> None:
    @kodemon
    @types.coroutine
    def old() -> Any:
        yield from coroutine(1).__await__()
        return 9

    async def program() -> int:
        result: int = await old()
        return result

    assert asyncio.run(program()) == 9
    assert listener.keys() == ["test_functions.py-old"]


def test_a_generator_is_told_once_when_exhausted(kodemon: Any, listener: Listener) -> None:
    @kodemon
    def count() -> Any:
        got = yield 1
        yield got
        return "end"

    counting = count()
    assert listener.arrived() == []
    assert (next(counting), counting.send("sent")) == (1, "sent")
    assert listener.arrived() == []
    with pytest.raises(StopIteration) as stopped:
        next(counting)
    assert stopped.value.value == "end"
    assert listener.keys() == ["test_functions.py-count"]


def test_a_generator_takes_what_is_thrown_and_is_told_when_closed(kodemon: Any, listener: Listener) -> None:
    seen: list[str] = []

    @kodemon
    def stubborn() -> Any:
        try:
            yield 1
        except RefusedError:
            seen.append("refused")
        try:
            yield 2
        finally:
            seen.append("closed")

    running = stubborn()
    assert (next(running), running.throw(RefusedError())) == (1, 2)
    running.close()
    assert seen == ["refused", "closed"]
    assert len(listener.arrived()) == 1


def test_a_generator_that_never_began_is_not_told(kodemon: Any, listener: Listener) -> None:
    kodemon(generator)().close()
    assert listener.arrived() == []


def test_an_async_generator_is_told_once_when_exhausted(kodemon: Any, listener: Listener) -> None:
    @kodemon
    async def count() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def program() -> list[int]:
        return [number async for number in count()]

    assert asyncio.run(program()) == [0, 1, 2]
    assert listener.keys() == ["test_functions.py-count"]


def test_an_async_generator_takes_what_is_sent_and_thrown(kodemon: Any, listener: Listener) -> None:
    @kodemon
    async def echo() -> Any:
        got = yield 1
        try:
            yield got
        except RefusedError:
            yield "refused"
        raise LookupError("end")

    async def program() -> None:
        running = echo()
        assert await running.__anext__() == 1
        assert await running.asend("sent") == "sent"
        assert await running.athrow(RefusedError()) == "refused"
        with pytest.raises(LookupError, match="end"):
            await running.__anext__()

    asyncio.run(program())
    assert len(listener.arrived()) == 1


async def left(running: Any, ended: asyncio.Event) -> None:
    """The reader stops in the middle, and the program goes on."""
    async for _ in running:
        break
    del running
    await asyncio.wait_for(ended.wait(), LIMIT_S)


async def kept(running: Any, ended: asyncio.Event) -> None:
    """Somebody still holds it when the loop ends."""
    ended.held = running  # type: ignore[attr-defined]
    await running.__anext__()


async def closed(running: Any, ended: asyncio.Event) -> None:
    async with aclosing(running):
        await running.__anext__()
    assert ended.is_set()


@pytest.mark.parametrize("reader", [left, kept, closed])
def test_an_async_generator_cleans_up_when_it_is_left(kodemon: Any, listener: Listener, reader: Any) -> None:
    complaints: list[Any] = []
    ended = asyncio.Event()

    @kodemon
    async def lines() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.set()

    async def program() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await reader(lines(), ended)

    asyncio.run(program())
    assert (ended.is_set(), complaints) == (True, [])
    assert len(listener.arrived()) == 1
