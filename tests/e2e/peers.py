"""The other side, for real: a web server whose sites fall and rise, a mail server that keeps what it gets."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.alerts.servers import MailRules


class WebServer:
    """Sites by path: each answers with the code that ``codes`` holds for it, 200 where it holds none.

    ``hold`` makes requests wait until it is set, ``asked`` is set by the first one, and ``seen`` counts them.
    """

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.seen: dict[str, int] = defaultdict(int)
        self.asked = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> WebServer:
        self.thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                name = self.path[1:]
                peer.seen[name] += 1
                peer.asked.set()
                peer.hold.wait(30)
                self.send_response(peer.codes.get(name, 200))
                self.end_headers()

            do_GET = do_HEAD  # noqa: N815

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        return Handler


@dataclass
class MailServer:
    """A real mail server and what it got; its faults are set through ``rules``."""

    rules: MailRules
    port: int

    def settings(self, *addresses: str) -> dict[str, str]:
        return {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port), "TO_EMAIL": ",".join(addresses)}

    def subjects(self, address: str) -> list[str]:
        return [str(mail["Subject"]) for mail in self.rules.mails if str(mail["To"]) == address]
