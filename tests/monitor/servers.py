"""Real local servers that misbehave on purpose: TCP, TLS and DNS, each in a thread, on a port of its own.

A server ends with its ``with`` block; what it does to one connection or question is a plain function.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Behaviour = Callable[[socket.socket], None]


# --- What a server does to one connection --------------------------------------------------------
def read_head(connection: socket.socket) -> bytes:
    """The request up to its empty line, or what came before the client closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            break
        head += piece
    return head


def answers(raw: bytes) -> Behaviour:
    """Reads the request, sends these bytes, closes."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(raw)

    return behave


def status(line: str) -> Behaviour:
    return answers(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode())


def greets(raw: bytes) -> Behaviour:
    """Sends these bytes whatever the client begins with."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)

    return behave


def says_and_waits(raw: bytes) -> Behaviour:
    """Sends these bytes and then nothing, until the client gives up."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(raw)
        connection.recv(1)

    return behave


def repeats(raw: bytes) -> Behaviour:
    """Sends these bytes again and again, until the client gives up."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        while True:
            connection.sendall(raw)

    return behave


def drips(raw: bytes, pause_s: float) -> Behaviour:
    """Sends one byte, pauses, sends the next: each gap is short, the whole takes for ever."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.settimeout(pause_s)
        for byte in raw:
            connection.sendall(bytes([byte]))
            with suppress(TimeoutError):
                if connection.recv(1) == b"":
                    return

    return behave


def resets(connection: socket.socket) -> None:
    """Reads the request and closes with RST."""
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def by_verb(replies: Mapping[str, Behaviour]) -> Behaviour:
    """Another behaviour for each verb."""

    def behave(connection: socket.socket) -> None:
        verb = connection.recv(65536, socket.MSG_PEEK).split(b" ", 1)[0].decode()
        replies[verb](connection)

    return behave


@dataclass
class Crowd:
    """Answers after ``pause_s``; ``most`` is how many requests waited for their answer at the same time."""

    pause_s: float
    now: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connection: socket.socket) -> None:
        read_head(connection)
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        connection.settimeout(self.pause_s)
        with suppress(TimeoutError):
            connection.recv(1)
        with self._lock:
            self.now -= 1
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


# --- TCP and TLS ---------------------------------------------------------------------------------
@dataclass
class TcpServer:
    """``heads`` are the requests it saw (not over TLS)."""

    behaviour: Behaviour
    listener: socket.socket
    context: ssl.SSLContext | None = None
    heads: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = int(self.listener.getsockname()[1])

    def url(self, host: str = "127.0.0.1", path: str = "/") -> str:
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(20)  # a test that hangs ends
        with suppress(OSError), self._secured(raw) as connection:
            self._note_head(connection)
            self.behaviour(connection)

    def _secured(self, raw: socket.socket) -> socket.socket:
        if self.context is None:
            return raw
        connection = self.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        try:
            connection.do_handshake()
        except OSError:
            # Closing with something unread would reset the connection, and the client might miss our alert.
            with suppress(OSError), connection:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            raise
        return connection

    def _note_head(self, connection: socket.socket) -> None:
        if not self.context:
            self.heads.append(connection.recv(65536, socket.MSG_PEEK))


@contextmanager
def tcp_server(
    behaviour: Behaviour, host: str = "127.0.0.1", context: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[TcpServer]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=512) as listener:
        server = TcpServer(behaviour, listener, context)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):  # wakes accept()
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# --- DNS -----------------------------------------------------------------------------------------
A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


@dataclass(frozen=True)
class Answer:
    """What the name server says to one question: addresses, or a code; after ``delay_s``. ``malformed``: what
    is no DNS message, but for its first two bytes.
    """

    addresses: tuple[str, ...] = ()
    code: int = NOERROR
    delay_s: float = 0.0
    malformed: bool = False


Zone = Callable[[str, int], Answer | None]  # (name, type) → what to say; None: nothing, ever


@dataclass
class NameServer:
    zone: Zone
    udp: socket.socket
    questions: list[tuple[str, int]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.udp.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                question, client = self.udp.recvfrom(4096)
            except OSError:
                return
            if not question:
                return
            name, kind, end = _parse(question)
            self.questions.append((name, kind))
            if (answer := self.zone(name, kind)) is not None:
                self._send(_reply(question, kind, end, answer), client, answer.delay_s)

    def _send(self, reply: bytes, client: tuple[str, int], delay_s: float) -> None:
        def send() -> None:
            with suppress(OSError):
                self.udp.sendto(reply, client)

        if not delay_s:
            send()
            return
        timer = threading.Timer(delay_s, send)
        timer.daemon = True
        timer.start()


def _parse(question: bytes) -> tuple[str, int, int]:
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), struct.unpack("!H", question[at + 1 : at + 3])[0], at + 5


def _reply(question: bytes, kind: int, end: int, answer: Answer) -> bytes:
    if answer.malformed:
        return question[:2] + b"\xff" * 40
    family = socket.AF_INET if kind == A else socket.AF_INET6
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, kind, 1, 60, 4 if kind == A else 16) + socket.inet_pton(family, address)
        for address in answer.addresses
    )
    header = question[:2] + struct.pack("!HHHHH", 0x8180 | answer.code, 1, len(answer.addresses), 0, 0)
    return header + question[12:end] + records


@contextmanager
def name_server(zone: Zone) -> Iterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        server = NameServer(zone, udp)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", udp.getsockname())
            thread.join(5)


# --- Certificates --------------------------------------------------------------------------------
def tls_context(
    certificate: trustme.LeafCert, *, client_authority: trustme.CA | None = None
) -> ssl.SSLContext:
    """A server's context; with ``client_authority`` it insists on a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        client_authority.configure_trust(context)
    return context


def self_signed_context(address: str = "127.0.0.1") -> ssl.SSLContext:
    """A server that shows a certificate which it has signed itself, for the right host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(certificate.public_bytes(pem) + private).tempfile() as path:
        context.load_cert_chain(path)
    return context
