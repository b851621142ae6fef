"""The decorator: which functions it takes, what a function's key is, what happens at the end of a call."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Mapping, TypeVar, overload

from kodemon import _environment, _message
from kodemon._sender import Nowhere, Send, Sender
from kodemon._wrappers import Function, Record, wrapped

if TYPE_CHECKING:
    C = TypeVar("C", bound=classmethod[Any, ..., Any])

F = TypeVar("F", bound=Callable[..., Any])


@overload
def kodemon(function: F, /, **fields: object) -> F: ...
@overload
def kodemon(function: C, /, **fields: object) -> C: ...
@overload
def kodemon(function: None = None, /, **fields: object) -> Callable[[F], F]: ...
def kodemon(function: Any = None, /, **fields: object) -> Any:
    """Send how long each call of a function takes, as one UDP datagram of JSON.

    Use it as ``@kodemon``, or with fields that each datagram shall have besides: ``@kodemon(part="bills")``;
    ``key`` and ``token`` replace the function's own. Values are read once, here. A call returns and raises
    what it did before, and never waits for the network. Raises TypeError for what is no function.
    """
    if function is None:
        return functools.partial(_decorated, fields=fields)
    return _decorated(function, fields)


def _decorated(function: Any, fields: Mapping[str, object]) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_decorated(function.__func__, fields))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"@kodemon is for functions and methods, not for {function!r:.100}")
    return functools.wraps(function)(wrapped(function, _recorder(function, fields)))


def _recorder(function: Function, fields: Mapping[str, object]) -> Record:
    key = _chosen(fields, "key") or key_of(function)
    token = _chosen(fields, "token")
    rendered = _message.rendered_fields(fields)
    send: Callable[[bytes, float], None] | None = None
    opening = ""

    def record(started: float, begin: float, end: float) -> None:
        nonlocal send, opening
        try:
            if send is None:
                settings, sender = _process()
                opening = _message.opening(key, token or settings.token, rendered)
                send = sender.send
            send(_message.datagram(opening, int(started), end - begin), end)
        except Exception:  # noqa: BLE001, S110 - nothing of ours may reach the program that is timed
            pass

    return record


def _chosen(fields: Mapping[str, object], name: str) -> str:
    """A key or token of the function's own: text, empty where none was given."""
    value = fields.get(name)
    return "" if value is None else _message.text(value)


@functools.lru_cache(maxsize=None)
def _process() -> tuple[_environment.Settings, Send]:
    """The environment, read when the first call ends, so that a program can still set it; and the way out."""
    settings = _environment.read(os.environ)
    if settings.port is None:
        return settings, Nowhere()
    return settings, Sender(settings.host, settings.port)


def key_of(function: Function) -> str:
    """The name of the file without folders, a hyphen, the name of the function: ``foo.py-foobar``.

    Where other decorators stand in between, the file is that of the function itself.
    """
    inner = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(inner.func)
    name = getattr(function, "__name__", None) or getattr(inner, "__name__", type(inner).__name__)
    return f"{_file_of(inner)}-{name}"


def _file_of(function: Function) -> str:
    code = getattr(function, "__code__", None)
    if code is not None:
        path = str(code.co_filename)
    else:  # written in C, or an object that can be called
        module = str(getattr(function, "__module__", None) or type(function).__module__)
        path = getattr(sys.modules.get(module), "__file__", None) or module
    return os.path.basename(path)
