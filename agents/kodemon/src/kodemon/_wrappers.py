"""A function with a clock around it, for each kind of function. What is done with the figures: ``record``.

``record`` gets the moment of the start (seconds since 1970), and start and end by ``perf_counter``.
"""

from __future__ import annotations

import inspect
import sys
import types
from time import perf_counter, time
from typing import Any, AsyncGenerator, Callable, Generator

Record = Callable[[float, float, float], None]
Function = Callable[..., Any]


def wrapped(function: Function, record: Record) -> Function:
    """A function of the same kind that does the same and calls ``record`` at its end, also when it raises."""
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, record)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, record)
    if inspect.isgeneratorfunction(function):
        return _generator(function, record)
    return _plain(function, record)


def _plain(function: Function, record: Record) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        started, begin = time(), perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            record(started, begin, perf_counter())

    return wrapper


def _coroutine(function: Function, record: Record) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        started, begin = time(), perf_counter()
        try:
            return await function(*args, **kwargs)
        finally:
            record(started, begin, perf_counter())

    return wrapper


def _generator(function: Function, record: Record) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        started, begin = time(), perf_counter()
        try:
            return (yield from function(*args, **kwargs))
        finally:
            record(started, begin, perf_counter())

    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE:
        return types.coroutine(wrapper)  # otherwise nobody could await it any more
    return wrapper


def _async_generator(function: Function, record: Record) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        started, begin = time(), perf_counter()
        try:
            inner = function(*args, **kwargs)
            item = await _first(inner)
            while True:
                try:
                    sent = yield item
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever is thrown in is the function's
                    item = await inner.athrow(error)
                else:
                    item = await inner.asend(sent)
        except StopAsyncIteration:
            pass
        finally:
            record(started, begin, perf_counter())

    return wrapper


def _first(inner: AsyncGenerator[Any, Any]) -> Any:
    """The first item's awaitable, made unseen by the event loop.

    A loop closes at its end all asynchronous generators that it saw begin; the wrapper closes this one, and
    two that do it at once are an error.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return inner.__anext__()
    finally:
        sys.set_asyncgen_hooks(*hooks)
