"""prometheus-blackbox-exporter, the peer: alone on the measured core, asked over connections that stay open.

What asks it is a small asyncio client on the other core, which asks the next as soon as one is answered. It
counts what it uses itself, so that one sees that it is not the limit.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks import machine
from benchmarks.web import end, free_port, wait_for_port

PROGRAM = "prometheus-blackbox-exporter"
LIMIT_S = 300
# The same questions as ours: HEAD, no redirects, IPv4, verified TLS, and 5 s in all.
CONFIGURATION = """\
modules:
  head:
    prober: http
    timeout: 5s
    http:
      method: HEAD
      preferred_ip_protocol: ip4
      ip_protocol_fallback: false
      follow_redirects: false
      valid_status_codes: [200]
      tls_config:
        ca_file: {ca_file}
"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """All sites once: seconds on the wall, of the exporter's CPU and of the asking client's."""

    wall_s: float
    cpu_s: float
    driver_cpu_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    port: int
    pid: int

    def sweep(self, urls: Sequence[str], concurrency: int) -> Sweep:
        """Ask for all of ``urls``; raises SystemExit where one of them is not seen as up."""
        before, own, begin = machine.cpu_s(self.pid), time.process_time(), time.perf_counter()
        good = asyncio.run(asyncio.wait_for(_ask_all(self.port, urls, concurrency), LIMIT_S))
        wall_s = time.perf_counter() - begin
        if good != len(urls):
            raise SystemExit(f"bench: {PROGRAM} saw {good} of {len(urls)} sites up")
        used = machine.cpu_s(self.pid) - before
        return Sweep(wall_s, used, time.process_time() - own, machine.peak_mib(self.pid))


def missing() -> str:
    """What to install, where it is not there."""
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} is missing: apt-get install {PROGRAM}"


@contextmanager
def exporter(folder: Path, ca_file: Path, core: int) -> Iterator[Exporter]:
    """Run it on ``core``: Go then takes one processor by itself."""
    configuration = folder / "blackbox.yml"
    configuration.write_text(CONFIGURATION.format(ca_file=ca_file))
    port = free_port()
    words = (f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    with (folder / "blackbox.log").open("wb") as log:
        process = subprocess.Popen(machine.on_core(core, PROGRAM, *words), stdout=log, stderr=log)
    try:
        wait_for_port(port, process)
        yield Exporter(port, process.pid)
    finally:
        end(process)


async def _ask_all(port: int, urls: Sequence[str], concurrency: int) -> int:
    waiting = iter(urls)
    loop = asyncio.get_running_loop()
    asking = []
    for _ in range(min(concurrency, len(urls))):
        done: asyncio.Future[int] = loop.create_future()
        await loop.create_connection(lambda done=done: _Asker(waiting, done), "127.0.0.1", port)  # type: ignore[misc]
        asking.append(done)
    return sum(await asyncio.gather(*asking))


class _Asker(asyncio.Protocol):
    """One connection: question after question till none is left; ``done`` gets how many sites were up."""

    def __init__(self, waiting: Iterator[str], done: asyncio.Future[int]) -> None:
        self._waiting = waiting
        self._done = done
        self._good = 0
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        url = next(self._waiting, None)
        if url is None:
            self._transport.close()
            return
        path = f"/probe?module=head&target={quote(url, safe='')}"
        self._heard = b""
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if (answer := _body(self._heard)) is not None:
            self._good += b"\nprobe_success 1\n" in answer
            self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(self._good)


def _body(heard: bytes) -> bytes | None:
    """The body of an answer, None while a part of it is missing; long ones come in chunks."""
    head, _, rest = heard.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        return b"".join(_chunks(rest)) if rest.endswith(b"\r\n0\r\n\r\n") else None
    length = head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]
    return rest if length and len(rest) >= int(length) else None


def _chunks(rest: bytes) -> Iterator[bytes]:
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        yield rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
