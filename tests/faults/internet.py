"""The other side of the link, in a network namespace of its own: sites, a sandbox, a name server.

``python -m tests.faults.internet`` takes one JSON command a line; it answers each with ``ok`` and for how
long it stood still:
``{"do": "begin", "ca": folder}``, ``{"do": "site", "n": 3, "how": "silent"}``,
``{"do": "names", "how": "refuse"}``, ``{"do": "link", "how": "down"}`` or ``up``, or ``awaited``.
"""

from __future__ import annotations

import json
import random
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from tests.faults.links import wait_until_it_carries
from tests.faults.plan import ADDRESS, FAR, FIRST, NAME_FAULTS, NAME_SERVERS, SANDBOX, SITES, kind, v4, v6
from tests.faults.stalls import Watch
from tests.monitor.servers import (
    NOERROR,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    A,
    Answer,
    Behaviour,
    NameServer,
    TcpServer,
    answers,
    drips,
    read_head,
    repeats,
    resets,
    says_and_waits,
    self_signed_context,
    status,
    tcp_server,
    tls_context,
)

OK = b"HTTP/1.1 200 OK\r\n"
BEHAVIOURS: dict[str, Behaviour] = {
    "503": status("503 Busy"),
    "404": status("404 Not Found"),
    "302": answers(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"),
    "999": status("999 Denied"),
    "silent": says_and_waits(b""),
    "drips": drips(OK + b"Content-Length: 0\r\n\r\n", 0.1),
    "closes": answers(b""),
    "closes in the headers": answers(OK + b"Foo: b"),
    "resets": resets,
    "garbage": answers(bytes(range(256)) * 100),
    "HTTP/0.9": answers(b"<html>hello</html>"),
    "large headers": answers(OK + b"X: aaaaaaaaaaaaaaa\r\n" * 50_000 + b"\r\n"),
    "1xx for ever": repeats(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def good(connection: socket.socket) -> None:
    """Answers 200 after up to 30 ms, so that runs don't end within a single instant."""
    read_head(connection)
    connection.settimeout(random.uniform(0.001, 0.03))
    with suppress(TimeoutError):
        connection.recv(1)
    connection.sendall(OK + b"Content-Length: 0\r\n\r\n")


class Site:
    """One site on all its addresses; ``become`` changes what it does."""

    def __init__(self, number: int, contexts: dict[str, ssl.SSLContext]) -> None:
        self.kind = kind(number)
        self.hosts = [ADDRESS[family](number) for family in self.kind.families]
        self.contexts = contexts
        self.name = "good"
        self.port = 443 if self.kind.https else 80
        self.stack = ExitStack()
        self.servers: list[TcpServer] = []
        self._listen()

    def become(self, how: str) -> None:
        if self.name in ("refuses", "vanished"):
            self._restore()
        self.name = "good"
        for server in self.servers:
            server.behaviour = BEHAVIOURS.get(how, good)
            server.context = (
                self.contexts[how if how in self.contexts else "good"] if self.kind.https else None
            )
        if how in NAME_FAULTS:
            self.name = how
        elif how == "refuses":
            self.name = how
            self.stack.close()
        elif how == "vanished":
            self.name = how
            for host in self.hosts:
                ip("addr", "del", f"{host}/{64 if ':' in host else 16}", "dev", FAR)

    def _listen(self) -> None:
        context = self.contexts["good"] if self.kind.https else None
        self.servers = [
            self.stack.enter_context(tcp_server(good, host, context, self.port)) for host in self.hosts
        ]

    def _restore(self) -> None:
        if self.name == "refuses":
            self._listen()
        else:
            for host in self.hosts:
                give_address(host)


SLOW_NAMES_S = 0.15  # half of LOOKUP_TIMEOUT


class Names:
    """Names of sites and of the sandbox; a fault of the server itself comes before that of one name."""

    def __init__(self, sites: list[Site]) -> None:
        self.sites = sites
        self.how = "good"

    def zone(self, name: str, question: int) -> Answer | None:
        if self.how == "slow":
            found = self._of_name(name, question)
            return replace(found, delay_s=SLOW_NAMES_S) if found else None
        if self.how != "good":
            return {"silent": None, "refuse": Answer(code=REFUSED), "fail": Answer(code=SERVFAIL)}[self.how]
        return self._of_name(name, question)

    def _of_name(self, name: str, question: int) -> Answer | None:
        if name == "":  # the question about the root
            return Answer()
        number = int(name.partition(".")[0].removeprefix("s") or 0)
        how = "good" if number == SANDBOX else self.sites[number].name
        families = ("v4", "v6") if number == SANDBOX else self.sites[number].kind.families
        if how == "name silent":
            return None
        if how == "name garbled":
            return Answer(malformed=True)
        code = {"name unknown": NXDOMAIN, "name fails": SERVFAIL}.get(how, NOERROR)
        family = "v4" if question == A else "v6"
        return Answer((ADDRESS[family](number),) if code == NOERROR and family in families else (), code)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def give_address(host: str) -> None:
    long = [f"{host}/64", "dev", FAR, "nodad"] if ":" in host else [f"{host}/16", "dev", FAR]
    ip("addr", "add", *long)


def tls_contexts(folder: Path) -> dict[str, ssl.SSLContext]:
    authority, now = trustme.CA(), datetime.now(UTC)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    hosts = [v4(number) for number in range(SITES)]
    late: dict[str, Any] = {"not_before": now - timedelta(9), "not_after": now - timedelta(3)}
    return {
        "good": tls_context(authority.issue_cert(*hosts)),
        "expired": tls_context(authority.issue_cert(*hosts, **late)),
        "other name": tls_context(authority.issue_cert("a.example")),
        "unknown authority": tls_context(trustme.CA().issue_cert(*hosts)),
        "self-signed": self_signed_context(hosts[0]),
    }


def serve_names(names: Names) -> None:
    for host in NAME_SERVERS:
        udp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, 53))
        threading.Thread(target=NameServer(names.zone, udp).run, daemon=True).start()


class Internet:
    def __init__(self) -> None:
        self.sites: list[Site] = []
        self.names = Names(self.sites)
        self.stack = ExitStack()

    def begin(self, ca: str) -> None:
        for words in (("link", "set", "lo", "up"), ("link", "set", FAR, "up")):
            ip(*words)
        give_address(FIRST)  # with the first address of a network all others would go
        for number in (*range(SITES), SANDBOX):
            give_address(v4(number))
            give_address(v6(number))
        for host in NAME_SERVERS:
            give_address(host)
        contexts = tls_contexts(Path(ca))
        self.sites.extend(Site(number, contexts) for number in range(SITES))
        for address in (v4(SANDBOX), v6(SANDBOX)):
            self.stack.enter_context(tcp_server(good, address, None, 80))
        serve_names(self.names)

    def obey(self, command: dict[str, Any]) -> None:
        match command:
            case {"do": "begin", "ca": folder}:
                self.begin(folder)
            case {"do": "site", "n": number, "how": how}:
                self.sites[number].become(how)
            case {"do": "names", "how": how}:
                self.names.how = how
            case {"do": "link", "how": "awaited"}:
                wait_until_it_carries(FAR)
            case {"do": "link", "how": how}:
                ip("link", "set", FAR, how)
                if how == "up":  # IPv6 addresses went with the link
                    self._give_back()

    def _give_back(self) -> None:
        hosts = {v6(SANDBOX), *(host for host in NAME_SERVERS if ":" in host)}
        for site in self.sites:
            if site.name != "vanished":
                hosts |= {host for host in site.hosts if ":" in host}
        lines = "".join(f"addr replace {host}/64 dev {FAR} nodad\n" for host in hosts)
        subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)


def main() -> None:
    internet, watch = Internet(), Watch()
    print("ready", flush=True)
    for line in sys.stdin:
        internet.obey(json.loads(line))
        print(f"ok {watch.take():.3f}", flush=True)


if __name__ == "__main__":
    main()
