"""Who receives: Djamon's receiver, InfluxDB 1.6 and carbon, each on one core with an empty store of its own.

Each takes one message a datagram, has the same room at its socket, and is asked what it has stored.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import machine
from benchmarks.installation import ROOT, Installation
from benchmarks.web import end, free_port, wait_for_port

SYSCTL = Path("/proc/sys/net/core")
ROOM = 16 << 20  # bytes; what the socket option then tells is twice that
CARBON_INTERVAL_S = 2  # so often it writes how many it received; each second, some of these would collide
INFLUXDB = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[logging]
  level = "error"
[[udp]]
  enabled = true
  bind-address = "127.0.0.1:{port}"
  database = "bench"
  read-buffer = {room}
  batch-size = 5000
  batch-pending = 10
  batch-timeout = "1s"
"""
# All of its limits lifted, nothing logged; a value for each second.
CARBON = """\
[cache]
STORAGE_DIR = {folder}
LOCAL_DATA_DIR = {folder}/whisper
CONF_DIR = {folder}
LOG_DIR = {folder}
PID_DIR = {folder}
USER =
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
ENABLE_UDP_LISTENER = True
UDP_RECEIVER_INTERFACE = 127.0.0.1
UDP_RECEIVER_PORT = {port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
CARBON_METRIC_INTERVAL = {interval}
LOG_UPDATES = False
LOG_CREATES = False
LOG_CACHE_HITS = False
LOG_CACHE_QUEUE_SORTS = False
ENABLE_LOGROTATION = False
"""
CARBON_SCHEMA = "[all]\npattern = .*\nretentions = 1s:1h\n"
WHISPER_HEAD, WHISPER_ARCHIVE, WHISPER_POINT = map(struct.Struct, ("!2LfL", "!3L", "!Ld"))


def _nobody() -> Sequence[int]:
    return ()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running one. ``done``: the messages that it says it has stored; ``stored``: those that are found;
    ``workers``: the processes that work for it on the same core.
    """

    port: int
    pid: int
    done: Callable[[], int]
    stored: Callable[[], int]
    workers: Callable[[], Sequence[int]] = _nobody

    def cpu_s(self) -> float:
        return machine.cpu_s(self.pid, *self.workers())

    def peak_mib(self) -> float:
        return machine.peak_mib(self.pid)

    def room(self) -> int:
        """Bytes that wait at the socket at most, as the kernel counts them."""
        told = subprocess.run(
            ["ss", "-Huamn", f"sport = :{self.port}"], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        found = re.search(r"rb(\d+)", told)
        return int(found[1]) if found else 0

    def drops(self) -> int:
        """Datagrams that found no room there."""
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        return sum(int(line.split()[-1]) for line in lines if line.split()[1].endswith(f":{self.port:04X}"))


@contextmanager
def equal_room() -> Iterator[int]:
    """Bytes to ask for, so that all sockets get the same, also those that do not ask; root raises limits."""
    names = {
        "rmem_max": ROOM,
        "rmem_default": 2 * ROOM,
    }  # who asks gets twice of it, who does not gets just that
    before = {name: int((SYSCTL / name).read_text()) for name in names}
    if os.geteuid() != 0:
        yield before["rmem_default"] // 2
        return
    try:
        for name, value in names.items():
            (SYSCTL / name).write_text(str(value))
        yield ROOM
    finally:
        for name, value in before.items():
            (SYSCTL / name).write_text(str(value))


@contextmanager
def kodemon(installation: Installation, room: int) -> Iterator[Receiver]:
    """``manage.py kodemon``; a PostgreSQL of this machine works on the same core meanwhile."""
    environment = {**installation.environment(), "KODEMON_BUFFER_BYTES": str(room)}
    words = (sys.executable, str(ROOT / "manage.py"), "kodemon", "--port", "0")
    argv = machine.on_core(machine.cores().measured, *words)
    pinned = nullcontext(_nobody) if installation.is_sqlite else _postgresql_on_core(installation)
    with (
        pinned as workers,
        subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(rb":(\d+)/udp", process.stdout.readline())
            if found is None:
                raise SystemExit("bench: manage.py kodemon did not start")
            yield Receiver(
                int(found[1]),
                process.pid,
                lambda: _one(installation, "SELECT COALESCE(SUM(stored), 0) FROM timings_receiver"),
                lambda: _one(installation, "SELECT COUNT(*) FROM timings_sample"),
                workers,
            )
        finally:
            end(process)


def _one(installation: Installation, sql: str) -> int:
    [(value,)] = installation.rows(sql)
    return int(value)


@contextmanager
def _postgresql_on_core(installation: Installation) -> Iterator[Callable[[], list[int]]]:
    """The server's processes move to the measured core, and back; gives what tells those that work for us."""

    def ours() -> list[int]:
        rows = installation.rows(
            "SELECT pid FROM pg_stat_activity "
            "WHERE COALESCE(datname, current_database()) = current_database() AND pid <> pg_backend_pid()"
        )
        return [int(pid) for (pid,) in rows]

    postmaster = machine.parent_of(ours()[0])
    before = os.sched_getaffinity(postmaster)
    _move(postmaster, {machine.cores().measured})
    try:
        yield ours
    finally:
        _move(postmaster, before)


def _move(postmaster: int, cores: set[int]) -> None:
    """With the processes that it has; those that it starts later follow it."""
    for pid in (postmaster, *machine.children_of(postmaster)):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(pid, cores)


@contextmanager
def influxdb(folder: Path, room: int) -> Iterator[Receiver]:
    ports = {name: free_port() for name in ("rpc", "http", "port")}
    file = folder / "influxdb.conf"
    file.write_text(INFLUXDB.format(folder=folder, room=room, **ports))
    with _running(folder, ports["http"], "influxd", "-config", str(file)) as pid:
        address = f"http://127.0.0.1:{ports['http']}"

        def done() -> int:
            told = _json(f"{address}/debug/vars")
            return sum(part["values"]["pointsTx"] for name, part in told.items() if name.startswith("udp:"))

        def stored() -> int:
            query = {"db": "bench", "q": "SELECT COUNT(execution_time) FROM timings"}
            [result] = _json(f"{address}/query?{urlencode(query)}")["results"]
            return sum(int(series["values"][0][1]) for series in result.get("series", ()))

        yield Receiver(ports["port"], pid, done, stored)


@contextmanager
def carbon(folder: Path) -> Iterator[Receiver]:
    """It asks for no room: the kernel's default is what it gets."""
    ports = {name: free_port() for name in ("line", "port", "pickle", "query")}
    file = folder / "carbon.conf"
    file.write_text(CARBON.format(folder=folder, interval=CARBON_INTERVAL_S, **ports))
    (folder / "storage-schemas.conf").write_text(CARBON_SCHEMA)
    words = ("--nodaemon", f"--config={file}", f"--logdir={folder}", "start")
    with _running(folder, ports["line"], "carbon-cache", *words) as pid:

        def done() -> int:
            files = folder.glob("whisper/carbon/agents/*/metricsReceived.wsp")
            return sum(int(value) for file in files for value in points(file).values())

        yield Receiver(ports["port"], pid, done, done)


def _json(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


def points(file: Path) -> dict[int, float]:
    """The values of a whisper file with one archive, by their seconds."""
    data = file.read_bytes()
    offset, _seconds, count = WHISPER_ARCHIVE.unpack_from(data, WHISPER_HEAD.size)
    found = (WHISPER_POINT.unpack_from(data, offset + at * WHISPER_POINT.size) for at in range(count))
    return {at: value for at, value in found if at}


def missing(program: str, package: str) -> str:
    """What to install, where it is not there."""
    return "" if shutil.which(program) else f"{program} is missing: apt-get install {package}"


@contextmanager
def _running(folder: Path, port: int, *words: str) -> Iterator[int]:
    log = folder / "log"
    with log.open("wb") as output:
        argv = machine.on_core(machine.cores().measured, *words)
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
    try:
        try:
            wait_for_port(port, process)
        except SystemExit:
            raise SystemExit(f"bench: {words[0]} did not start: {log.read_text()[-2000:]}") from None
        yield process.pid
    finally:
        end(process)
