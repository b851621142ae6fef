"""The datagram: one call of one function as a JSON object. Bytes in; samples, and reasons for refusals, out.

Pure. Datagrams are read as lines, many in one call, and only where that fails one by one: a call for each
costs twice as much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set
from typing import Annotated, Any, NamedTuple

import msgspec

DEFAULT_TOKEN = "test-token"  # noqa: S105  (what the protocol has where a sender names none)
LONGEST_KEY = 500
LONGEST_TOKEN = 200
LONGEST_CALL_S = 1e9
BEYOND_ANY_DATAGRAM = 1 << 16  # bytes
STANDARD_FIELDS = ("key", "execution_time", "timestamp", "token")

EARLIEST_S = 946_684_800  # 2000-01-01: whatever is older is a clock that was never set
FROM_HERE_MILLISECONDS = 100_000_000_000  # seconds of the year 5138, milliseconds of 1973
CLOCK_AHEAD_S = 86_400
TOO_DEEP = "nested too deeply"
NOT_JSON = "not JSON"
# By what is decoded of other fields: their names and values are passed over before.
CANNOT_BE_READ = (RecursionError, msgspec.DecodeError, UnicodeDecodeError)
ESCAPE = b"\\"
NO_OBJECT = re.compile(rb"\n(?!\{)")  # begins with this line
NUL = rb"\u0000"  # as JSON has to write it

# As msgspec words them; the path is the field's name.
MISSING = re.compile(r"missing required field `(\w+)`")
AT_FIELD = re.compile(r"at `\$\.(\w+)`")


Key = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TOKEN)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_CALL_S)]


class Sample(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One call: ``timestamp`` in whole seconds since 1970, ``extra`` the other fields as JSON, if any.

    Nearly all messages are decoded to one at once: those that have the standard fields and no other.
    """

    key: Key
    token: Token
    timestamp: Annotated[int, msgspec.Meta(ge=EARLIEST_S)]
    execution_time: Seconds
    # What a datagram says under this name is too short to be taken for it: it is one of the other fields.
    extra: Annotated[str, msgspec.Meta(min_length=BEYOND_ANY_DATAGRAM)] = ""


class Message(msgspec.Struct, gc=False):
    """What may stand in a datagram; fields beside the standard ones are read apart, by :func:`_extra`."""

    key: Key
    execution_time: Seconds
    timestamp: int | float | None = None
    token: Token = DEFAULT_TOKEN


class Batch(NamedTuple):
    """What became of some datagrams: each is a sample or counted among the ``refused`` by its reason.

    ``alike``: all samples have one token and second, and none has other fields: so it nearly always is.
    """

    samples: list[Sample]
    refused: Counter[str]
    alike: bool = False


_plain_decoder = msgspec.json.Decoder(Sample)
_decoder = msgspec.json.Decoder(Message)
_any = msgspec.json.Decoder()


def read(lines: bytes, count: int, now_s: float, tokens: Set[str] = frozenset()) -> Batch:
    """Read so many datagrams, a line each; a non-empty ``tokens`` names those whose messages are taken."""
    samples = _together(lines, count)
    if samples and not (ESCAPE in lines and NUL in lines):
        seconds, senders = {each.timestamp for each in samples}, {each.token for each in samples}
        if max(seconds) <= now_s + CLOCK_AHEAD_S and (not tokens or senders <= tokens):
            return Batch(samples, Counter(), alike=len(seconds) == len(senders) == 1)
    batch = Batch([], Counter())
    for raw in lines.split(b"\n") if count else []:
        _add(batch, raw, _decoded(raw), now_s, tokens)
    return batch


def _together(lines: bytes, count: int) -> list[Sample] | None:
    """All at once; None where one is not as it should be.

    The decoder takes line ends for white space: it would find two objects in one line, and one over two.
    Where every line begins one (none may stand within another), and there are as many, each line is one.
    """
    if not lines.startswith(b"{") or NO_OBJECT.search(lines):
        return None
    try:
        found = _plain_decoder.decode_lines(lines)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if len(found) == count else None


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
            extra = _extra(raw)
        except CANNOT_BE_READ as error:
            batch.refused[TOO_DEEP if isinstance(error, RecursionError) else NOT_JSON] += 1
            return
        sample = Sample(message.key, message.token, int(timestamp), message.execution_time, extra)
        batch.samples.append(sample)


def _bad_time(timestamp: float) -> str:
    if timestamp >= FROM_HERE_MILLISECONDS:
        return "timestamp in milliseconds"
    return "timestamp too old" if timestamp < EARLIEST_S else "timestamp in the future"


def _extra(raw: bytes) -> str:
    """The fields beside the standard ones as JSON, if there are any; raises CANNOT_BE_READ."""
    fields: dict[str, Any] = _any.decode(raw)
    for name in STANDARD_FIELDS:
        fields.pop(name, None)
    return msgspec.json.encode(fields).decode() if fields else ""
