"""No server, no network, no name, no room: the program goes on as if nothing were there."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kodemon._sender import found_routes, literal_routes

from tests.kodemon.listener import Listener, run, said_by

# Prints how long the slowest of many calls took.
PROGRAM = """
import os, pathlib, socket, subprocess, sys, threading, time
from kodemon import kodemon

@kodemon
def foobar(*args):
    return args

def slowest_s(calls=2_000):
    took = []
    for number in range(calls):
        begin = time.perf_counter()
        assert foobar(number) == (number,)
        took.append(time.perf_counter() - begin)
    return max(took)

def listen(address, family=socket.AF_INET, port=0):
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((address, port))
    made.settimeout(20)
    os.environ["KODEMON_PORT"] = str(made.getsockname()[1])
    return made

def assert_empty(listener):
    listener.setblocking(False)
    try:
        raise AssertionError(listener.recv(9_999))
    except BlockingIOError:
        pass
"""
# Far less than a resolver's patience, far more than what a call takes on a machine that is busy.
SOON_S = 1.0


@functools.cache
def alone() -> tuple[str, ...]:
    """The words before a command that put it into a network of its own, in which nothing is up."""
    words = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    tried = subprocess.run([*words, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return tuple(words) if tried.returncode == 0 else ()


@pytest.fixture
def in_own_network(tmp_path: Path) -> Callable[..., str]:
    """Runs a program behind shell commands that make up its network; returns what it printed."""
    if not alone():
        pytest.skip("network namespaces are not permitted here")

    def in_own(commands: str, program: str, **environment: str) -> str:
        within = (*alone(), "sh", "-ec", f'{commands}\nexec "$@"', "sh")
        return said_by(run(tmp_path, PROGRAM + program, environment, within=within))

    return in_own


def test_nobody_listens(tmp_path: Path, listener: Listener) -> None:
    environment = listener.environment
    listener.close()
    done = run(tmp_path, PROGRAM + "print(slowest_s())", environment)
    assert float(said_by(done)) < SOON_S


def test_nobody_reads(tmp_path: Path, listener: Listener) -> None:
    done = run(tmp_path, PROGRAM + "print(slowest_s(50_000))", listener.environment)
    assert float(said_by(done)) < SOON_S
    assert listener.arrived()


NO_HOSTS = [
    "nowhere.invalid",
    "a..b",
    "x" * 300,
    "ü" * 70 + ".de",
    "a b",
    "http://localhost/",
    "999.1.1.1",
    "%",
]


@pytest.mark.parametrize("host", NO_HOSTS, ids=lambda host: host[:12])
def test_no_such_host(in_own_network: Callable[..., str], host: str) -> None:
    assert float(in_own_network("ip link set lo up", "print(slowest_s())", KODEMON_HOST=host)) < SOON_S


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "ü" * 70, "a\0b", "\ud800"], ids=ascii)
def test_what_cannot_be_looked_up_is_an_error_that_the_thread_expects(host: str) -> None:
    assert literal_routes(host, 4000) == ()
    with pytest.raises((OSError, ValueError)):
        found_routes(host, 4000)


def test_a_message_that_is_too_long_is_lost_and_others_are_not(kodemon: Any, listener: Listener) -> None:
    def foobar() -> None:
        pass

    kodemon(text="x" * 70_000)(foobar)()
    kodemon(text="x" * 65_000)(foobar)()
    assert [len(message["text"]) for message in listener.arrived()] == [65_000]


def test_no_descriptor_is_left(tmp_path: Path, listener: Listener) -> None:
    program = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    print(slowest_s())
for one in taken:
    os.close(one)
foobar()
"""
    assert float(said_by(run(tmp_path, PROGRAM + program, listener.environment))) < SOON_S
    assert listener.keys() == ["foo.py-foobar"]


def test_what_waited_for_a_name_is_sent_when_it_is_found(
    begun: Callable[..., Any], listener: Listener
) -> None:
    """127.1 is an address that only the resolver understands."""

    def foobar() -> None:
        pass

    decorated = begun(**{**listener.environment, "KODEMON_HOST": "127.1"})(foobar)
    for _ in range(3):
        decorated()
    assert [listener.message()["key"] for _ in range(3)] == ["test_faults.py-foobar"] * 3


def test_no_network_and_then_one(in_own_network: Callable[..., str]) -> None:
    program = """
slow = slowest_s()
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
here = listen("127.0.0.1", port=4000)
foobar()
assert b"foo.py-foobar" in here.recv(9_999)
here.close()
print(slow)
"""
    assert float(in_own_network("", program)) < SOON_S


@pytest.mark.parametrize("host", ["localhost", "::1", "ip6.example"])
def test_a_machine_without_ipv4(in_own_network: Callable[..., str], tmp_path: Path, host: str) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 ip6.example\n::1 ip6.example\n")
    network = f"ip link set lo up; ip addr del 127.0.0.1/8 dev lo; mount --bind {tmp_path}/hosts /etc/hosts"
    program = """
here = listen("::1", socket.AF_INET6)
foobar()
assert b"foo.py-foobar" in here.recv(9_999)
here.close()
"""
    in_own_network(network, program, KODEMON_HOST=host)


@pytest.mark.parametrize("own", ["127.0.0.1", "::1"])
def test_localhost_is_127_0_0_1_whatever_the_machine_calls_so(
    in_own_network: Callable[..., str], tmp_path: Path, own: str
) -> None:
    (tmp_path / "hosts").write_text(f"{own} localhost\n")
    program = """
here = listen("127.0.0.1")
foobar()
assert b"foo.py-foobar" in here.recv(9_999)
here.close()
"""
    in_own_network(f"ip link set lo up; mount --bind {tmp_path}/hosts /etc/hosts", program)


def test_a_name_of_both_families_is_asked_by_ipv4(in_own_network: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("::1 djamon.example\n127.0.0.1 djamon.example\n")
    program = """
here = listen("127.0.0.1")
foobar()
assert b"foo.py-foobar" in here.recv(9_999)     # it waited for the name
foobar()
assert b"foo.py-foobar" in here.recv(9_999)
here.close()
"""
    network = f"ip link set lo up; mount --bind {tmp_path}/hosts /etc/hosts"
    in_own_network(network, program, KODEMON_HOST="djamon.example")


def test_a_name_is_looked_up_again_after_a_minute(in_own_network: Callable[..., str], tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 djamon.example\n")
    program = """
from kodemon._sender import LOOK_AGAIN_S, Sender

here = listen("127.0.0.1")
there = listen("127.0.0.2", port=here.getsockname()[1])
there.settimeout(0.01)
sender = Sender("djamon.example", here.getsockname()[1])
now = time.perf_counter()
sender.send(b"first", now)
assert here.recv(99) == b"first"
pathlib.Path(os.environ["HOSTS"]).write_text("127.0.0.2 djamon.example\\n")
sender.send(b"within a minute", now + LOOK_AGAIN_S - 1)
assert here.recv(99) == b"within a minute"

for _ in range(1_000):
    sender.send(b"later", now + LOOK_AGAIN_S + 10)
    try:
        print(there.recv(99).decode())
        break
    except TimeoutError:
        pass
here.close(), there.close()
"""
    network = f"ip link set lo up; mount --bind {hosts} /etc/hosts"
    assert in_own_network(network, program, HOSTS=str(hosts)) == "later"


NAME_SERVER = """
questions = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
questions.bind(("127.0.0.1", 53))

def answer(count=2):                                # one question for each family
    for _ in range(count):
        question, client = questions.recvfrom(999)
        ipv4 = question[-3] == 1                    # the low byte of the type
        head = question[:2] + b"\\x81\\x80\\0\\1\\0" + bytes([ipv4]) + b"\\0\\0\\0\\0"
        record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x7f\\0\\0\\1" if ipv4 else b""
        questions.sendto(head + question[12:] + record, client)
"""


def with_name_server(tmp_path: Path) -> str:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    return f"ip link set lo up; mount --bind {tmp_path}/resolv.conf /etc/resolv.conf"


def test_a_name_server_that_never_answers(in_own_network: Callable[..., str], tmp_path: Path) -> None:
    program = (
        NAME_SERVER
        + """
print(slowest_s())
questions.settimeout(20)
assert b"djamon" in questions.recv(999)         # it was asked, and the program ends all the same
questions.close()
"""
    )
    slow = in_own_network(with_name_server(tmp_path), program, KODEMON_HOST="djamon.example")
    assert float(slow) < SOON_S


def test_the_newest_messages_wait_for_a_late_answer(
    in_own_network: Callable[..., str], tmp_path: Path
) -> None:
    program = (
        NAME_SERVER
        + """
from kodemon._sender import KEPT

here = listen("127.0.0.1")
calls = KEPT + 100
print(slowest_s(calls))
answer()
for _ in range(KEPT):
    here.recv(9_999)
assert_empty(here)
here.close(), questions.close()
"""
    )
    slow = in_own_network(with_name_server(tmp_path), program, KODEMON_HOST="djamon.example")
    assert float(slow) < SOON_S


def test_a_fork_while_a_name_is_looked_up(in_own_network: Callable[..., str], tmp_path: Path) -> None:
    """What waits in the parent is sent by the parent alone; the child asks for itself."""
    program = (
        NAME_SERVER
        + """
here = listen("127.0.0.1")
until, done = os.pipe()
foobar()
foobar()
child = os.fork()
if not child:
    os.close(done)
    foobar()
    os.read(until, 1)                           # it lives until the parent has heard it
    os._exit(0)
# On a busy machine a question may be asked twice.
threading.Thread(target=answer, args=(99,), daemon=True).start()
for _ in range(3):
    here.recv(9_999)
os.close(done)
assert os.waitpid(child, 0)[1] == 0
assert_empty(here)
here.close(), questions.close()
"""
    )
    in_own_network(with_name_server(tmp_path), program, KODEMON_HOST="djamon.example")


def test_a_host_that_answers_to_nothing(in_own_network: Callable[..., str]) -> None:
    """Datagrams pile up while the kernel asks for its hardware address, until its buffers are full."""
    network = (
        "ip link add near type veth peer name far; ip addr add 10.9.9.1/24 dev near; "
        "ip link set near up; ip link set far up"
    )
    assert float(in_own_network(network, "print(slowest_s(20_000))", KODEMON_HOST="10.9.9.2")) < SOON_S
