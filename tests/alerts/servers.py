"""Real servers for the channels: mail servers with the faults of real ones, and an HTTP server that is X."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailRules:
    """What the server does; its fault, if any, is one of those that mail servers have."""

    refused: dict[str, str] = field(default_factory=dict)  # address -> answer to RCPT TO
    greylists: bool = False  # the first RCPT TO for each address is answered 451
    drops_after_data: int = 0  # so many messages are taken, then the line goes dead without an answer
    drops_when_idle: bool = False  # the line goes dead after each message that was taken
    refuses_message: str = ""  # answer to DATA
    refuses_sender: str = ""
    holds: str = ""  # a message to this address is held until ``go_on`` is set
    mails: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    known: set[str] = field(default_factory=set)
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def taken(self) -> list[str]:
        return [str(mail["To"]) for mail in self.mails]

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.refuses_sender or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        if self.greylists and address not in self.known:
            self.known.add(address)
            return "451 4.7.1 Greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses_message:
            return self.refuses_message
        mail = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        self.mails.append(mail)
        if self.holds in envelope.rcpt_tos:
            self.held.set()
            await server.loop.run_in_executor(None, self.go_on.wait, 30)
        if self.drops_after_data:
            self.drops_after_data -= 1
            _hang_up(server)
        elif self.drops_when_idle:
            server.loop.call_later(0.02, _hang_up, server)
        return "250 Queued"


def _hang_up(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        self.port = cast(Any, self.server).sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(rules: MailRules, password: str = "", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A real SMTP server on loopback; gives its port. With ``password`` nobody else gets in."""
    login: dict[str, Any] = {}
    if password:
        login = {
            "authenticator": lambda _server, _session, _envelope, _way, data: AuthResult(
                success=data.password == password.encode(), handled=False
            ),
            "auth_require_tls": False,
        }
    controller = _Controller(rules, hostname="127.0.0.1", port=0, tls_context=tls, **login)
    controller.start()
    rules.connections = 0
    try:
        yield controller.port
    finally:
        rules.go_on.set()
        controller.stop()


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and never says a word; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def babbling_server(words: bytes) -> Iterator[int]:
    """Says ``words`` to everybody, whatever was asked, and hangs up; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(5)
                    client.sendall(words)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):  # closing with unread bytes would reset the line
                        pass

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@dataclass
class Reply:
    status: int = 201
    body: bytes = b'{"data": {"id": "1", "text": ""}}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return str(json.loads(self.body)["text"])


@dataclass
class XRules:
    """``replies`` in turn, the last one for ever; ``taken`` are the posts that it says it has posted."""

    replies: list[Reply] = field(default_factory=lambda: [Reply()])
    posts: list[Post] = field(default_factory=list)
    taken: list[Post] = field(default_factory=list)
    url: str = ""

    def answer(self, post: Post) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.posts.append(post)
        if reply.status == 201:
            self.taken.append(post)
        return reply


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that was killed in the middle is what some tests are about."""


@contextmanager
def x_server(rules: XRules) -> Iterator[str]:
    """A real HTTP server that stands for the API of X; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # its sender died: nobody has posted anything
                self.close_connection = True
                return
            reply = rules.answer(Post(self.path, dict(self.headers), body))
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = _QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    rules.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield rules.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
