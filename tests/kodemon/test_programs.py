"""Programs with threads, forks, processes, event loops, signals; programs that end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.kodemon.listener import Listener, run, said_by

HEAD = """
import asyncio, atexit, gc, multiprocessing, os, signal, socket, sys, threading, time
from kodemon import kodemon

@kodemon
def foobar(*args):
    return args
"""


def outcome(folder: Path, listener: Listener, program: str, **environment: str) -> Counter[str]:
    """How often each key was sent by a program that ended well and without a word."""
    said_by(run(folder, HEAD + program, {**listener.environment, **environment}))
    return Counter(listener.keys())


def test_the_file_that_is_run_names_its_keys(tmp_path: Path, listener: Listener) -> None:
    assert outcome(tmp_path, listener, "foobar()") == {"foo.py-foobar": 1}


THREADS = """
def work():
    for _ in range(40):
        foobar()

many = [threading.Thread(target=work) for _ in range(8)]
for one in many:
    one.start()
for one in many:
    one.join()
"""


def test_threads(tmp_path: Path, listener: Listener) -> None:
    assert outcome(tmp_path, listener, THREADS) == {"foo.py-foobar": 320}


FORKS = """
foobar()
for _ in range(5):
    pid = os.fork()
    if not pid:
        foobar()
        grandchild = os.fork()
        foobar()
        if grandchild:
            os.waitpid(grandchild, 0)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    foobar()
"""


def test_forks_before_and_after_the_first_call(tmp_path: Path, listener: Listener) -> None:
    assert outcome(tmp_path, listener, FORKS) == {"foo.py-foobar": 1 + 5 * 4}


DAEMON = """
foobar()                                    # its socket is open now
if os.fork():
    os.wait()
    sys.exit()
os.setsid()
os.closerange(3, 100)                       # what a daemon does at its start
files = [open(f"{number}.txt", "wb") for number in range(5)]   # other files get the numbers that are free now
foobar()
foobar()
del foobar
gc.collect()
for file in files:
    file.write(b"mine")
    file.close()
"""


def test_a_daemon_that_closes_all_descriptors(tmp_path: Path, listener: Listener) -> None:
    assert outcome(tmp_path, listener, DAEMON) == {"foo.py-foobar": 3}
    assert {path.read_bytes() for path in tmp_path.glob("*.txt")} == {b"mine"}


def test_a_process_that_closes_all_descriptors_loses_one_message(tmp_path: Path, listener: Listener) -> None:
    program = "foobar()\nos.closerange(3, 100)\nfoobar()\nfoobar()"
    assert outcome(tmp_path, listener, program) == {"foo.py-foobar": 2}


POOL = """
def square(number):
    return foobar(number)[0] ** 2

if __name__ == "__main__":
    context = multiprocessing.get_context(os.environ["START"])
    with context.Pool(2) as pool:
        assert pool.map(square, range(10)) == [number ** 2 for number in range(10)]
        assert pool.map(foobar, range(10)) == [(number,) for number in range(10)]
        pool.close()
        pool.join()
"""


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(tmp_path: Path, listener: Listener, start: str) -> None:
    assert outcome(tmp_path, listener, POOL, START=start) == {"foo.py-foobar": 20}


LOOP = """
@kodemon
async def task(number):
    await asyncio.sleep(0.001 * (number % 3))
    return foobar(number)[0]

async def program():
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 60        # a busy machine is not under test
    assert await asyncio.gather(*map(task, range(100))) == list(range(100))
    await asyncio.gather(*(loop.run_in_executor(None, foobar) for _ in range(20)))

asyncio.run(program(), debug=True)
"""


def test_an_event_loop_with_tasks_and_threads(tmp_path: Path, listener: Listener) -> None:
    assert outcome(tmp_path, listener, LOOP) == {"foo.py-task": 100, "foo.py-foobar": 120}


SIGNALS = """
@kodemon
def handler(number, frame):
    handled.append(number)

handled = []
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while len(handled) < 50:
    foobar()
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_signal_handlers_in_the_midst_of_a_call(tmp_path: Path, listener: Listener) -> None:
    found = outcome(tmp_path, listener, SIGNALS)
    assert set(found) == {"foo.py-foobar", "foo.py-handler"}


AT_EXIT = """
class Last:
    @kodemon
    def __del__(self):
        pass

@kodemon
def generator():
    yield 1

atexit.register(foobar)
foobar()
last, running = Last(), generator()
next(running)
ring = [last, running]
ring.append(ring)
del last, running
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid", "127.1"])
def test_calls_while_the_interpreter_ends(tmp_path: Path, listener: Listener, host: str) -> None:
    found = outcome(tmp_path, listener, AT_EXIT, KODEMON_HOST=host)
    if host == "127.0.0.1":
        assert found["foo.py-foobar"] == 2


def test_an_exit_code_stays(tmp_path: Path, listener: Listener) -> None:
    program = "@kodemon\ndef main():\n    sys.exit(7)\nmain()"
    done = run(tmp_path, HEAD + program, listener.environment)
    assert (done.returncode, done.stderr) == (7, "")
    assert listener.keys() == ["foo.py-main"]
