"""get_status_code: a code, 500 for a server that is too slow, None for nobody; never an exception."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.status_code import get_status_code
from tests.monitor.servers import (
    Behaviour,
    answers,
    closed_port,
    drips,
    greets,
    resets,
    says_and_waits,
    status,
    tcp_server,
)


@pytest.mark.parametrize(
    "line", ["200 OK", "204 No Content", "301 Moved", "404 Not Found", "503 Busy", "999 X"]
)
def test_code_of_the_answer(line: str) -> None:
    with tcp_server(status(line)) as server:
        assert get_status_code(server.url()) == int(line[:3])
        assert server.heads[0].startswith(b"HEAD / ")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(says_and_waits(b""), id="silent"),
        pytest.param(says_and_waits(b"HTTP/1.1 200 OK\r\nFoo: bar\r\n"), id="stops in the headers"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n\r\n", 0.05), id="drips"),
    ],
)
def test_no_headers_in_time_are_500(behaviour: Behaviour) -> None:
    began = time.monotonic()
    with tcp_server(behaviour) as server:
        assert get_status_code(server.url(), timeout_s=0.3) == 500
        assert time.monotonic() - began < 0.3 + 0.5


def test_handshake_that_takes_too_long_is_500() -> None:
    with tcp_server(says_and_waits(b"")) as server:
        assert get_status_code(server.url().replace("http:", "https:"), timeout_s=0.3) == 500


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers(b""), id="closes"),
        pytest.param(resets, id="resets"),
        pytest.param(greets(b"\xff" * 100), id="garbage"),
    ],
)
def test_no_http_answer_is_none(behaviour: Behaviour) -> None:
    with tcp_server(behaviour) as server:
        assert get_status_code(server.url(), timeout_s=0.3) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "http://",
        "http://a b/",
        "http://[::1",
        "http://a.example:99999/",
        "http://a.invalid/",
        "http://\ud800/",
        None,
        7,
        b"http://127.0.0.1/",
        ["http://127.0.0.1/"],
    ],
    ids=repr,
)
def test_nobody_to_ask_is_none(url: object) -> None:
    assert get_status_code(url) is None


def test_refused_is_none() -> None:
    assert get_status_code(f"http://127.0.0.1:{closed_port()}/") is None


def test_it_works_without_django_and_settings() -> None:
    code = (
        "import sys; from scripts.status_code import get_status_code; print(get_status_code(sys.argv[1]));"
        "assert not any(name.split('.')[0] == 'django' for name in sys.modules)"
    )
    with tcp_server(status("200 OK")) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url()],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert (done.stdout, done.stderr) == ("200\n", "")
