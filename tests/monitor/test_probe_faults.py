"""Faults of our own machine: they are never the site's."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from monitor.probe import Limits, probe_all
from monitor.probe.limits import apart_within_descriptors, within_descriptors
from monitor.verdicts import Target, Verdict

SERVER = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
"""


@pytest.fixture(scope="module")
def other_process() -> Iterator[str]:
    """A server whose descriptors are not ours."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        process.kill()


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """Within, this process can open so many files and sockets more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    held: list[int] = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(count):
            os.close(held.pop())
        yield
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("left", range(12))
def test_too_few_descriptors_are_never_the_sites_fault(left: int, other_process: str) -> None:
    targets = [Target(key, other_process, frozenset({200})) for key in range(4)]
    with descriptors_left(left):
        results = probe_all(targets, Limits(timeout_s=1))
    assert len(results) == 4
    assert Verdict.DOWN not in {result.verdict for result in results}


def test_lack_of_descriptors_has_a_name(other_process: str) -> None:
    with descriptors_left(0):
        (result,) = probe_all([Target(0, other_process, frozenset({200}))], Limits(timeout_s=1))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "this process has too many open files"


def test_more_than_1024_open_files_do_no_harm(other_process: str) -> None:
    """select() would break here: it knows no descriptor above 1023."""
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        results = probe_all([Target(k, other_process, frozenset({200})) for k in range(3)], Limits())
    finally:
        for fd in held:
            os.close(fd)
    assert {result.verdict for result in results} == {Verdict.UP}


@pytest.mark.parametrize(
    ("allowed", "wanted", "granted", "apart"),
    [
        (1024, 256, 256, 256),
        (1024, 2000, 416, 32),
        (800, 256, 256, 128),
        (256, 256, 32, 32),
        (100, 256, 1, 32),
    ],
)
def test_concurrency_stays_within_the_descriptors(
    allowed: int, wanted: int, granted: int, apart: int
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    try:
        assert within_descriptors(wanted) == granted
        assert apart_within_descriptors(granted) == apart
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
