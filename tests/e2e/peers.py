"""The other side, for real: a web server whose sites fall and rise, a mail server that keeps what it gets."""

from __future__ import annotations

import email
import threading
from collections import defaultdict
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


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

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        return Handler


class MailServer:
    """An SMTP server; ``refused`` addresses get 550; ``receiving`` is set by the first message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, EmailMessage]] = []
        self.refused: set[str] = set()
        self.receiving = threading.Event()
        self.controller = Controller(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> MailServer:
        self.controller.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.controller.stop()

    @property
    def port(self) -> int:
        sockets = self.controller.server.sockets  # type: ignore[union-attr]
        return int(sockets[0].getsockname()[1])

    def settings(self, *addresses: str) -> dict[str, str]:
        return {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port), "TO_EMAIL": ",".join(addresses)}

    def subjects(self, address: str) -> list[str]:
        return [str(message["Subject"]) for to, message in self.messages if to == address]

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.receiving.set()
        message = email.message_from_bytes(envelope.content, policy=default)
        self.messages += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"
