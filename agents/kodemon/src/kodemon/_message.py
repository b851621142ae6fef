"""What a datagram says: one object of strict JSON, in ASCII. No socket, no clock, no environment."""

from __future__ import annotations

import json
import math
from typing import Mapping

STANDARD = frozenset({"execution_time", "timestamp", "token", "key"})


def opening(key: str, token: str, fields: Mapping[str, str]) -> str:
    """All that never changes of a function's datagrams: JSON that is open at its end.

    ``fields`` are rendered already.
    """
    said = {"key": rendered(key), "token": rendered(token), **fields}
    return "{" + ",".join(f"{rendered(str(name))}:{value}" for name, value in said.items())


def datagram(opening: str, timestamp: int, execution_time: float) -> bytes:
    """The opening with the two figures of one call, closed; they are seconds, since 1970 and of the call."""
    return f'{opening},"timestamp":{timestamp},"execution_time":{execution_time!r}}}'.encode("ascii")


def rendered_fields(fields: Mapping[str, object]) -> dict[str, str]:
    """The fields of a function's own, each as JSON; what is measured or has a rule of its own is left out."""
    return {name: rendered(value) for name, value in fields.items() if name not in STANDARD}


def rendered(value: object) -> str:
    """Any value as JSON: as it is, else as text. Never raises."""
    try:
        return json.dumps(_plain(value), allow_nan=False)
    except Exception:  # noqa: BLE001 - one that holds itself, or whose methods fail
        return json.dumps(text(value))


def text(value: object) -> str:
    """The ``str()`` of any value, or the name of its type where it has none. Never raises."""
    try:
        return _text(value)
    except Exception:  # noqa: BLE001 - what a value of the program raises is its own
        return f"<{type(value).__name__}>"


def _plain(value: object) -> object:
    """The value with all in it that JSON cannot say replaced by its ``str()``."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {_text(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return _text(value)


def _text(value: object) -> str:
    """Half a surrogate pair, as file names can hold it, is no text that a strict reader takes."""
    text = value if isinstance(value, str) else str(value)
    return str.encode(text, "utf-8", "replace").decode()
