"""The peers that the benchmarks bring: the server that delays, and what a stream of events carries."""

from __future__ import annotations

import gzip
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.answering import SWITCH_FILE, answering
from benchmarks.listeners import Stream

EVENT = b'event: board\nid: t\ndata: {"tag":"t","pieces":{"site-1":"<tr>"}}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_the_server_writes_down_how_long_it_took(tmp_path: Path) -> None:
    with answering(tmp_path, machine.cores().other) as peer:
        assert status(f"http://127.0.0.1:{peer.port}/delay/30/slow") == 200
        assert status(f"http://127.77.1.2:{peer.port}/delay/0/quick") == 200
        times = peer.times()
    assert times["/delay/30/slow"] >= 30
    assert times["/delay/0/quick"] < 30


def test_a_site_falls_and_rises_by_the_switch(tmp_path: Path) -> None:
    with answering(tmp_path, machine.cores().other) as peer:
        switch = tmp_path / SWITCH_FILE
        codes = [status(f"http://127.0.0.1:{peer.port}/switch/1")]
        switch.touch()
        codes.append(status(f"http://127.0.0.1:{peer.port}/switch/1"))
    assert codes == [200, 503]


@pytest.mark.parametrize("cut", [1, 7, 60, 10_000], ids=lambda cut: f"in pieces of {cut}")
def test_a_stream_is_read_however_it_is_cut(cut: int) -> None:
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    packed = packer.compress(EVENT) + packer.flush(zlib.Z_FULL_FLUSH)
    assert gzip.decompress(packed + packer.flush()) == EVENT
    raw = HEAD + f"{len(packed):x}\r\n".encode() + packed + b"\r\n"
    stream = Stream()
    heard = [
        message for at in range(0, len(raw), cut) for message in stream.read(float(at), raw[at : at + cut])
    ]
    assert [message.data["pieces"] for message in heard] == [{"site-1": "<tr>"}]
    assert heard[0].at == (len(raw) - 1) // cut * cut
