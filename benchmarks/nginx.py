"""nginx as ten thousand sites: one worker; HTTP on one port, HTTPS on a port for each certificate.

One socket listens on all addresses of a port, and only this machine is answered. A port for each certificate:
a client that asks an address sends no name by which to choose one.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.addresses import address
from benchmarks.certificates import Authority
from benchmarks.web import end, free_port, wait_for_port

PER_CERTIFICATE = 100
FIRST_PORT, LAST_PORT = 20_000, 32_000  # below those that the kernel gives to clients
BACKLOG = 4096
CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log error;
events {{ worker_connections 8192; multi_accept on; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
{servers}
}}
"""
ANSWER = 'if ($remote_addr !~ ^127[.]) {{ return 444; }} return 200 "";'
PLAIN = f"    server {{{{ listen {{port}} backlog={BACKLOG}; {ANSWER} }}}}"
SECURE = f"""    server {{{{
        listen {{port}} ssl backlog={BACKLOG};
        ssl_certificate {{file}};
        ssl_certificate_key {{file}};
        {ANSWER}
    }}}}"""


@dataclass(frozen=True, slots=True)
class Sites:
    """A running nginx and the sites that it is."""

    http: list[str]
    https: list[str]
    ca_file: Path
    pid: int

    def cpu_s(self) -> float:
        """What its processes have used so far."""
        return machine.cpu_s(self.pid, *machine.children_of(self.pid))


def missing() -> str:
    """What to install, where it is not there."""
    return "" if shutil.which("nginx", path=_path()) else "nginx is missing: apt-get install nginx-light"


@contextmanager
def sites(folder: Path, count: int, core: int) -> Iterator[Sites]:
    """Serve ``count`` sites from ``core``; gone afterwards."""
    addresses = [address(number) for number in range(count)]
    authority, port = Authority(folder), free_port()
    batches = [addresses[at : at + PER_CERTIFICATE] for at in range(0, count, PER_CERTIFICATE)]
    ports = _free_ports(len(batches))
    servers = [PLAIN.format(port=port)]
    for number, (batch, own_port) in enumerate(zip(batches, ports, strict=True)):
        file = authority.issue(f"sites-{number}", batch)
        servers.append(SECURE.format(port=own_port, file=file))
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, servers="\n".join(servers)))
    with _running(configuration, port, core) as pid:
        yield Sites(
            [f"http://{address}:{port}/" for address in addresses],
            [
                f"https://{address}:{own_port}/"
                for own_port, batch in zip(ports, batches, strict=True)
                for address in batch
            ],
            authority.file,
            pid,
        )


@contextmanager
def _running(configuration: Path, port: int, core: int) -> Iterator[int]:
    program = shutil.which("nginx", path=_path()) or "nginx"
    log = configuration.with_suffix(".start")
    with log.open("wb") as output:
        argv = machine.on_core(core, program, "-p", str(configuration.parent), "-c", str(configuration))
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        try:
            wait_for_port(port, process)
        except SystemExit:
            raise SystemExit(f"bench: nginx did not start: {log.read_text()[-2000:]}") from None
        time.sleep(0.2)  # its worker starts after it listens
        yield process.pid
    finally:
        end(process)


def _free_ports(count: int) -> Sequence[int]:
    """Consecutive ports on which nothing listens."""
    for first in range(FIRST_PORT, LAST_PORT - count, count):
        ports = range(first, first + count)
        with suppress(OSError):
            for port in ports:
                with socket.socket() as trial:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    trial.bind(("0.0.0.0", port))
            return ports
    raise SystemExit(f"bench: no {count} free ports from {FIRST_PORT} to {LAST_PORT}")


def _path() -> str:
    """Debian keeps it where only root looks."""
    return "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
