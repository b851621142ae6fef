"""The datagram: one call of one function as a JSON object. Bytes in; samples, and reasons for refusals, out.

Pure. A batch is decoded in one call, line by line, and only where that fails one by one: a call for each
costs twice as much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from contextlib import suppress
from typing import Annotated, Any, NamedTuple, cast

import msgspec

DEFAULT_TOKEN = "test-token"  # noqa: S105  (what the protocol has where a sender names none)
LONGEST_KEY = 500
LONGEST_TOKEN = 200
LONGEST_CALL_S = 1e9
STANDARD_FIELDS = ("key", "execution_time", "timestamp", "token")
STANDARD_COLONS = len(STANDARD_FIELDS)  # each field has one

EARLIEST_S = 946_684_800  # 2000-01-01: whatever is older is a clock that was never set
FROM_HERE_MILLISECONDS = 100_000_000_000  # seconds of the year 5138, milliseconds of 1973
CLOCK_AHEAD_S = 86_400
TOO_DEEP = "nested too deeply"
NOT_JSON = "not JSON"
# By what is decoded of other fields: their names and values are passed over before.
CANNOT_BE_READ = (RecursionError, msgspec.DecodeError, UnicodeDecodeError)
ESCAPE = b"\\"
TOKEN = b'"token":'
NUL = rb"\u0000"  # as JSON has to write it

# As msgspec words them; the path is the field's name.
MISSING = re.compile(r"missing required field `(\w+)`")
AT_FIELD = re.compile(r"at `\$\.(\w+)`")


class Message(msgspec.Struct, gc=False):
    """The four standard fields; others are read apart, by :func:`_extra`."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]
    execution_time: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_CALL_S)]
    timestamp: int | float | None = None
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TOKEN)] = DEFAULT_TOKEN


class Sample(NamedTuple):
    """One call: ``timestamp`` in whole seconds since 1970, ``extra`` the other fields as JSON, if any."""

    key: str
    token: str
    timestamp: int
    execution_time: float
    extra: str | None


Fields = tuple[str, str, int, float, str | None]
"""Those of a Sample, which is one of these; a plain tuple is made in a fifth of the time."""


class Batch(NamedTuple):
    """What became of some datagrams: each is a sample or counted among the ``refused`` by its reason."""

    samples: list[Fields]
    refused: Counter[str]


_decoder = msgspec.json.Decoder(Message)
_any = msgspec.json.Decoder()


def read(datagrams: Sequence[bytes], now_s: float, tokens: Set[str] = frozenset()) -> Batch:
    """Read datagrams in their order; a non-empty ``tokens`` names those whose messages are taken."""
    joined = b"\n".join(datagrams)
    messages = _decoded_together(joined, len(datagrams))
    if messages and _are_plain(messages, joined, now_s, tokens):
        with suppress(*CANNOT_BE_READ):
            return Batch(_samples(datagrams, messages, joined), Counter())
    batch = Batch([], Counter())
    for number, raw in enumerate(datagrams):
        message = _decoded(raw) if messages is None else messages[number]
        _add(batch, raw, message, now_s, tokens)
    return batch


def _are_plain(messages: Sequence[Message], joined: bytes, now_s: float, tokens: Set[str]) -> bool:
    """Whether all can be taken as they are: so it is where programs send what the decorator makes."""
    stamps: list[Any] = [message.timestamp for message in messages]
    if set(map(type, stamps)) != {int} or (ESCAPE in joined and NUL in joined):
        return False
    if min(stamps) < EARLIEST_S or max(stamps) > now_s + CLOCK_AHEAD_S:
        return False
    return not tokens or {message.token for message in messages} <= tokens


def _samples(datagrams: Sequence[bytes], messages: Sequence[Message], joined: bytes) -> list[Fields]:
    made: list[tuple[str, str, float | None, float, str | None]]
    if _are_bare(joined, len(datagrams)):
        made = [(one.key, one.token, one.timestamp, one.execution_time, None) for one in messages]
    else:
        made = [
            (
                one.key,
                one.token,
                one.timestamp,
                one.execution_time,
                None if _is_bare(raw, one) else _extra(raw),
            )
            for raw, one in zip(datagrams, messages, strict=True)
        ]
    return cast("list[Fields]", made)  # all timestamps are int


def _are_bare(joined: bytes, count: int) -> bool:
    """Whether plain messages have the standard fields alone. Each has the colons of three of these, and one
    each time that it names a token; if all together have no more, none has another field.
    """
    is_named = joined.count(TOKEN) == count and ESCAPE not in joined
    return is_named and joined.count(b":") == STANDARD_COLONS * count


def _is_bare(raw: bytes, message: Message) -> bool:
    """Whether it has the four standard fields, each by name, and so no other; quicker than to decode it."""
    return (
        raw.count(b":") == STANDARD_COLONS
        and message.timestamp is not None
        and (message.token != DEFAULT_TOKEN or (TOKEN in raw and ESCAPE not in raw))
    )


def _decoded_together(joined: bytes, count: int) -> list[Message] | None:
    """All at once, or None where one is not as it should be (or brings a line end of its own)."""
    if joined.count(b"\n") != count - 1:
        return None
    try:
        messages = _decoder.decode_lines(joined)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return messages if len(messages) == count else None  # an empty line is no message


def _decoded(raw: bytes) -> Message | str:
    """The message, or why it is refused."""
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        return _refusal(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NOT_JSON
    except RecursionError:
        return TOO_DEEP


def _refusal(words: str) -> str:
    if missing := MISSING.search(words):
        return f"no {missing[1]}"
    found = AT_FIELD.search(words)
    if found is None:
        return "not an object"
    if "got `" in words:
        return f"{found[1]} of a wrong type"
    return f"{found[1]} out of bounds"


def _add(batch: Batch, raw: bytes, message: Message | str, now_s: float, tokens: Set[str]) -> None:
    if isinstance(message, str):
        batch.refused[message] += 1
        return
    timestamp = now_s if message.timestamp is None else message.timestamp
    if not EARLIEST_S <= timestamp <= now_s + CLOCK_AHEAD_S:
        batch.refused[_bad_time(timestamp)] += 1
    elif tokens and message.token not in tokens:
        batch.refused["token not taken"] += 1
    elif "\0" in message.key or "\0" in message.token:
        batch.refused["NUL in key or token"] += 1  # PostgreSQL cannot store it
    else:
        try:
            extra = None if _is_bare(raw, message) else _extra(raw)
        except CANNOT_BE_READ as error:
            batch.refused[TOO_DEEP if isinstance(error, RecursionError) else NOT_JSON] += 1
            return
        sample = Sample(message.key, message.token, int(timestamp), message.execution_time, extra)
        batch.samples.append(sample)


def _bad_time(timestamp: float) -> str:
    if timestamp >= FROM_HERE_MILLISECONDS:
        return "timestamp in milliseconds"
    return "timestamp too old" if timestamp < EARLIEST_S else "timestamp in the future"


def _extra(raw: bytes) -> str | None:
    """The fields beside the standard ones as JSON; raises CANNOT_BE_READ."""
    fields: dict[str, Any] = _any.decode(raw)
    for name in STANDARD_FIELDS:
        fields.pop(name, None)
    return msgspec.json.encode(fields).decode() if fields else None
