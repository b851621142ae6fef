from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from djamon.lib.processes import Process, from_text, is_alive
from jobs import services
from jobs.child import Child, Service
from tests.jobs.conftest import Start, finish, read_until

SLEEPER = "from djamon.lib.processes import *; import time; print('i am', this_process()); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEPER}"


def supervise(start: Start, **codes: str) -> subprocess.Popen[str]:
    return start([sys.executable, "-m", "tests.jobs.supervisor_process", json.dumps(codes)])


def next_child(supervisor: subprocess.Popen[str]) -> Process:
    line = read_until(supervisor, "i am ")[-1]
    process = from_text(line.partition("i am ")[2])
    assert process is not None
    return process


def ends_soon(process: Process) -> bool:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], 10)
    os.close(handle)
    return bool(ended)


def test_lines_carry_the_name_of_who_said_them(start: Start) -> None:
    supervisor = supervise(
        start, web="print('hello'); print('no line end', end='')", scheduler="import time; time.sleep(60)"
    )
    lines = read_until(supervisor, "starting it again")
    assert "web       | hello" in lines
    assert "web       | no line end" in lines


def test_a_child_that_dies_is_started_again_after_growing_pauses(start: Start) -> None:
    supervisor = supervise(start, web="import sys; sys.exit(3)")
    lines = [line for _ in range(4) for line in read_until(supervisor, "starting") if "starting" in line]
    assert lines == [
        f"web ended with exit status 3; starting it again in {s} s" for s in ("0.05", "0.1", "0.2", "0.2")
    ]


def test_a_killed_child_comes_back_and_the_others_stay(start: Start) -> None:
    supervisor = supervise(start, web=SLEEPER)
    first = next_child(supervisor)
    subprocess.run(["kill", "-9", str(first.pid)], check=True)
    assert read_until(supervisor, "starting")[-1] == "web was ended by SIGKILL; starting it again in 0.05 s"
    assert next_child(supervisor) != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_all_of_it_cleanly(number: signal.Signals, start: Start) -> None:
    supervisor = supervise(start, web=SLEEPER, scheduler=SLEEPER)
    children = [next_child(supervisor), next_child(supervisor)]
    supervisor.send_signal(number)
    status, output = finish(supervisor)
    assert (status, "Traceback" in output) == (0, False)
    assert [is_alive(child) for child in children] == [False, False]


def test_asking_twice_kills_who_does_not_listen(start: Start) -> None:
    supervisor = supervise(start, web=STUBBORN)
    child = next_child(supervisor)
    supervisor.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for the child
        supervisor.wait(0.3)
    assert supervisor.poll() is None
    supervisor.terminate()
    assert finish(supervisor, timeout_s=5)[0] == 0
    assert is_alive(child) is False


def test_children_end_when_the_supervisor_is_killed(start: Start) -> None:
    supervisor = supervise(start, web=SLEEPER)
    child = next_child(supervisor)
    supervisor.kill()
    assert ends_soon(child)


def test_a_child_that_closes_its_output_costs_nothing(start: Start) -> None:
    silent = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    pausing = "import time; print('begin'); time.sleep(0.5); print('end'); time.sleep(60)"
    supervisor = supervise(start, web=silent, scheduler=pausing)
    read_until(supervisor, "begin")
    before = cpu_seconds(supervisor.pid)
    read_until(supervisor, "end")
    assert cpu_seconds(supervisor.pid) - before < 0.2


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_what_cannot_be_started_is_said_and_tried_again() -> None:
    child = Child(Service("web", ("/no/such/program",)))
    assert child.start() == (
        "web could not be started: [Errno 2] No such file or directory: '/no/such/program';"
        " starting it again in 1 s"
    )
    assert child.process is None


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_taken_port_is_one_line_and_exit_status_1(start: Start, taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    status, output = finish(start([sys.executable, "manage.py", "up"], PORT=str(port)))
    assert status == 1
    assert output == f"Port {port} on 127.0.0.1 is taken; choose another: make run PORT={port + 1}\n"


def test_a_free_port_is_free_also_right_after_a_connection_to_it_was_closed(taken: socket.socket) -> None:
    address = taken.getsockname()
    with socket.create_connection(address):
        taken.accept()[0].close()
    taken.close()
    services.check_port(*address)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        pytest.param("192.0.2.1", 8000, "Cannot listen on port 8000 of 192.0.2.1: ", id="not-ours"),
        pytest.param("no.such.host.invalid", 8000, "HOST=no.such.host.invalid is no address", id="unknown"),
    ],
)
def test_an_address_that_is_not_ours_is_named(host: str, port: int, words: str) -> None:
    with pytest.raises(services.CannotListen, match=words):
        services.check_port(host, port)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("status.example", "http://status.example:8000/"),
    ],
)
def test_the_address_is_one_that_a_browser_here_can_open(host: str, expected: str) -> None:
    assert services.address(host, 8000) == expected


@pytest.mark.parametrize(
    ("scheduler", "kodemon", "names"),
    [
        (True, True, ["web", "scheduler", "kodemon"]),
        (False, True, ["web", "kodemon"]),
        (True, False, ["web", "scheduler"]),
        (False, False, ["web"]),
    ],
)
def test_what_runs_beside_the_web_is_chosen(settings, scheduler, kodemon, names) -> None:
    settings.SCHEDULER, settings.KODEMON = scheduler, kodemon
    assert [service.name for service in services.services()] == names


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_up_runs_all_of_it_until_it_is_told_to_end(start: Start) -> None:
    port = free_port()
    up = start([sys.executable, "manage.py", "up"], PORT=str(port), SECURE_COOKIES="off", KODEMON_PORT="0")
    read_until(
        up, f"Djamon runs at http://127.0.0.1:{port}/ (Ctrl-C ends it)", "on duty", "kodemon: listening on"
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        parts = {part["name"]: part for part in json.load(answer)["parts"]}
    assert answer.status == 200
    assert parts["scheduler"]["ok"]
    up.send_signal(signal.SIGINT)
    status, output = finish(up)
    assert (status, "Traceback" in output) == (0, False)
    assert f"{settings.BASE_DIR}" not in output
