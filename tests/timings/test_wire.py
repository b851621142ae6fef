"""Datagrams: what is taken, and by which reason the rest is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from timings import wire
from timings.inbox import as_lines
from timings.wire import LONGEST_KEY, Batch, Sample

NOW = 1_780_000_000.75
GOOD = {"execution_time": 0.25, "timestamp": 1_779_999_999, "token": "mine", "key": "foo.py-foobar"}


def read(datagrams: Sequence[bytes], now_s: float, tokens: Set[str] = frozenset()) -> Batch:
    return wire.read(as_lines(datagrams), len(datagrams), now_s, tokens)


def datagram(**changed) -> bytes:
    fields = {name: value for name, value in (GOOD | changed).items() if value is not ...}
    return json.dumps(fields).encode()


def reasons(raw: bytes) -> dict[str, int]:
    """Of a datagram alone, and the same between two good ones."""
    alone, amid = read([raw], NOW), read([datagram(), raw, datagram()], NOW)
    assert alone.refused == amid.refused
    assert len(amid.samples) == 2 + len(alone.samples)
    return dict(alone.refused)


SAMPLE = Sample("foo.py-foobar", "mine", 1_779_999_999, 0.25)
TAKEN = [
    pytest.param(datagram(), {}, id="as documented"),
    pytest.param(datagram(timestamp=...), {"timestamp": int(NOW)}, id="no time"),
    pytest.param(datagram(timestamp=None), {"timestamp": int(NOW)}, id="time is null"),
    pytest.param(datagram(timestamp=1_779_999_999.9), {}, id="fraction of a second"),
    pytest.param(datagram(token=...), {"token": "test-token"}, id="no token"),
    pytest.param(datagram(execution_time=3), {"execution_time": 3.0}, id="whole seconds"),
    pytest.param(
        datagram(a="Ann", n=[1, {"b": None}]), {"extra": '{"a":"Ann","n":[1,{"b":null}]}'}, id="extra"
    ),
    pytest.param(
        datagram(a="x\0y"), {"extra": r'{"a":"x\u0000y"}'}, id="a NUL in an extra field stays escaped"
    ),
    pytest.param(datagram(key="a/b c-<b>é漢🙂:::"), {"key": "a/b c-<b>é漢🙂:::"}, id="any key"),
    pytest.param(datagram(a="x" * 65_000), {"extra": f'{{"a":"{"x" * 65_000}"}}'}, id="65,000 bytes"),
    pytest.param(
        datagram(token=..., **{'x"token': 1}),
        {"extra": r'{"x\"token":1}', "token": "test-token"},
        id="extra, its name ends like a token's",
    ),
    *(
        pytest.param(
            datagram(extra=value),
            {"extra": json.dumps({"extra": value}, separators=(",", ":"))},
            id=f"extra, by that name: {value!r}",
        )
        for value in (None, "", "x", 1)
    ),
    pytest.param(datagram(key="k" * LONGEST_KEY), {"key": "k" * LONGEST_KEY}, id="the longest key"),
    pytest.param(
        datagram(a=1, key="a:b"), {"extra": '{"a":1}', "key": "a:b"}, id="extra, and a colon in the key"
    ),
    *(
        pytest.param(
            datagram(a=1, **dict.fromkeys(absent, ...)),
            {"extra": '{"a":1}', **changed},
            id=f"extra, without {' and '.join(absent)}",
        )
        for absent, changed in (
            (("token",), {"token": "test-token"}),
            (("timestamp",), {"timestamp": int(NOW)}),
            (("timestamp", "token"), {"timestamp": int(NOW), "token": "test-token"}),
        )
    ),
    pytest.param(
        datagram(token=..., a="token"),
        {"extra": '{"a":"token"}', "token": "test-token"},
        id="extra that only says token",
    ),
    pytest.param(json.dumps(GOOD, indent=2).encode(), {}, id="on several lines"),
    pytest.param(datagram() + b"\n", {}, id="a line end, as nc sends"),
]


@pytest.mark.parametrize(("raw", "changes"), TAKEN)
def test_a_good_datagram_is_a_sample(raw, changes):
    sample = replace(SAMPLE, **changes)
    assert read([raw], NOW)[:2] == ([sample], {})
    assert read([raw, datagram(), raw], NOW).samples[::2] == [sample, sample]


@pytest.mark.parametrize(
    ("raw", "alike"),
    [
        (datagram(), True),
        (datagram(key="another"), True),
        (datagram(token="another"), False),
        (datagram(timestamp=1_779_999_998), False),
        (datagram(user="Ann"), False),
        (datagram(extra="x"), False),
        (datagram(timestamp=...), False),
    ],
    ids=["the same", "a key", "a token", "a second", "another field", "one that we call so", "one less"],
)
def test_samples_are_alike_that_differ_in_key_and_time_taken_alone(raw, alike):
    assert read([datagram(), raw], NOW).alike is alike


REFUSED = [
    pytest.param(b"", "not JSON", id="empty"),
    pytest.param(b"\xff\x00\x01", "not JSON", id="random bytes"),
    pytest.param(datagram()[:-1], "not JSON", id="cut off"),
    pytest.param(datagram()[:-1] + b',"\xff":1}', "not JSON", id="a field's name that is no UTF-8"),
    pytest.param(datagram() + datagram(), "not JSON", id="two in one"),
    pytest.param(datagram() + b"\n" + datagram(), "not JSON", id="two lines"),
    pytest.param(b'{"key":"a","execution_time":NaN}', "not JSON", id="NaN"),
    pytest.param(
        b'{"key":"a","execution_time":1,"x":' + b"[" * 60_000, "nested too deeply", id="deep and cut off"
    ),
    pytest.param(
        b'{"key":"a","execution_time":1,"x":' + b"[" * 30_000 + b"]" * 30_000 + b',"y":":"}',
        "nested too deeply",
        id="nested too deeply",
    ),
    pytest.param(b'{"key":"\xff","execution_time":1}', "not JSON", id="no UTF-8"),
    pytest.param(b'{"key":"\\ud800","execution_time":1}', "not JSON", id="half a surrogate pair"),
    pytest.param(b"[1]", "not an object", id="array"),
    pytest.param(b"null", "not an object", id="null"),
    pytest.param(datagram(key=...), "no key", id="no key"),
    pytest.param(datagram(execution_time=...), "no execution_time", id="no execution_time"),
    pytest.param(datagram(key=7), "key of a wrong type", id="key is a number"),
    pytest.param(datagram(key=""), "key out of bounds", id="key is empty"),
    pytest.param(datagram(key="k" * (LONGEST_KEY + 1)), "key out of bounds", id="key too long"),
    pytest.param(datagram(key="k" * 10_000), "key out of bounds", id="10,000 characters"),
    pytest.param(b"x" * 65_507, "not JSON", id="65,507 bytes of nothing"),
    pytest.param(datagram(key="a\0b"), "NUL in key or token", id="NUL"),
    pytest.param(datagram(token=None), "token of a wrong type", id="token is null"),
    pytest.param(datagram(execution_time="1"), "execution_time of a wrong type", id="time as text"),
    pytest.param(datagram(execution_time=True), "execution_time of a wrong type", id="true"),
    pytest.param(datagram(execution_time=-0.1), "execution_time out of bounds", id="negative"),
    pytest.param(datagram(execution_time=2e9), "execution_time out of bounds", id="60 years"),
    pytest.param(b'{"key":"a","execution_time":1e400}', "execution_time out of bounds", id="infinite"),
    pytest.param(datagram(timestamp="1779999999"), "timestamp of a wrong type", id="timestamp as text"),
    pytest.param(datagram(timestamp=12), "timestamp too old", id="1970"),
    pytest.param(datagram(timestamp=-5), "timestamp too old", id="before 1970"),
    pytest.param(datagram(timestamp=4_102_444_800), "timestamp in the future", id="2100"),
    pytest.param(datagram(timestamp=1_779_999_999_123), "timestamp in milliseconds", id="milliseconds"),
    pytest.param(datagram(timestamp=10**30), "timestamp in milliseconds", id="beyond all"),
]


@pytest.mark.parametrize(("raw", "reason"), REFUSED)
def test_a_bad_datagram_is_refused_by_its_reason(raw, reason):
    assert reasons(raw) == {reason: 1}


def test_tokens_can_be_limited():
    batch = read([datagram(), datagram(token="other")], NOW, tokens={"mine"})
    assert [sample.token for sample in batch.samples] == ["mine"]
    assert batch.refused == {"token not taken": 1}


GOOD_ONE, TWICE = datagram(), datagram(key="twice") * 2
SHIFTED = {
    "two in one, and an empty one": [b"", TWICE],
    "the empty one comes last": [TWICE, b""],
    "a good one between, with a field more": [b"", datagram(a=1), TWICE],
    "one over two datagrams, and two in one": [GOOD_ONE[:40], GOOD_ONE[40:], TWICE],
    "cut off between two fields": [b'{"key":"a",', b'"execution_time":1}', TWICE],
    "a good one within a bad one": [b'{"key":"a","execution_time":1,"x":', GOOD_ONE, b"}" + TWICE],
    "white space alone": [b" ", GOOD_ONE, TWICE],
}


@pytest.mark.parametrize("datagrams", SHIFTED.values(), ids=SHIFTED)
def test_no_datagram_is_read_for_another(datagrams):
    alone = [read([raw], NOW) for raw in datagrams]
    together = read(datagrams, NOW)
    assert together.samples == [sample for batch in alone for sample in batch.samples]
    assert together.refused == sum((batch.refused for batch in alone), Counter())


# What a good datagram becomes under way, or by a sender's mistake: parts of it gone, doubled, or other bytes.
cut = st.builds(
    lambda raw, at, size, put: raw[:at] + put + raw[at + size :],
    st.sampled_from([datagram(), datagram(token=...), datagram(timestamp=...), datagram(a=[1, "é"])]),
    st.integers(0, 90),
    st.integers(0, 12),
    st.binary(max_size=6) | st.sampled_from([b"\n", b",", b'":', b"1e999", b'"x":1,', b"\\u0000"]),
)
part = st.sampled_from(
    [b"", b" ", datagram(), datagram() * 2, datagram()[:40], datagram()[40:], b"}{", b"\n"]
)


@given(st.lists(cut | part, max_size=6), st.sampled_from([frozenset(), frozenset({"mine"})]))
def test_together_datagrams_come_to_the_same_as_each_alone(datagrams, tokens):
    alone = [read([raw], NOW, tokens) for raw in datagrams]
    together = read(datagrams, NOW, tokens)
    assert together.samples == [sample for batch in alone for sample in batch.samples]
    assert together.refused == sum((batch.refused for batch in alone), Counter())


@given(st.lists(st.binary(max_size=80) | st.sampled_from([datagram(), b"{", b"}", b"1\n2", b""]), max_size=8))
def test_whatever_comes_is_either_a_sample_or_counted(datagrams):
    batch = read(datagrams, NOW)
    assert len(batch.samples) + batch.refused.total() == len(datagrams)
