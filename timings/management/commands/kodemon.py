"""The receiver of timings in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from djamon.lib import garbage
from djamon.lib.commands import DjamonError, OneLineCommand
from djamon.lib.signals import Signals
from timings import figures, receiver
from timings.inbox import Inbox
from timings.store import Store
from timings.wire import Sample
from timings.writer import Writer

log = logging.getLogger(__name__)
COUNTS_EVERY_S = 10.0
SWITCH_S = 0.002  # how long the thread that stores keeps the one that receives from the interpreter


def port(word: str) -> int:
    """A UDP port; the kernel would take the last 16 bits of any number."""
    number = int(word)
    if not 0 <= number <= 65_535:
        raise ArgumentTypeError(f"{number} is no port: 0 to 65535")
    return number


class Command(OneLineCommand):
    help = "Receive how long functions took, as UDP datagrams, and store it, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.KODEMON_HOST, help="address to listen on")
        parser.add_argument(
            "--port", type=port, default=settings.KODEMON_PORT, help="UDP port; 0 takes a free one"
        )

    def run(self, **options: Any) -> None:
        garbage.search_seldom()
        sys.setswitchinterval(SWITCH_S)
        sock = receiver.bind(options["host"], options["port"], settings.KODEMON_BUFFER_BYTES)
        with Signals() as signals, sock:
            inbox = Inbox(settings.KODEMON_QUEUE_BYTES)
            book = figures.Book(sock, inbox)
            on_samples = self._print if options["verbosity"] > 1 else None
            writer = Writer(
                inbox, Store(settings.TIMINGS_MAX_KEYS), book, settings.KODEMON_TOKENS, on_samples
            )
            self._announce(sock, book)
            writer.start()
            done = threading.Event()
            threading.Thread(target=_tell, args=(done, book), daemon=True).start()
            receiver.receive(sock, inbox, lambda: signals.stopping)
            writer.end()
            done.set()
        self.stdout.write(f"kodemon: {_counts(book.figures())}")
        if writer.lost:
            raise DjamonError(f"{writer.lost} messages are lost: the database was away to the end")

    def _announce(self, sock: socket.socket, book: figures.Book) -> None:
        got, wanted = receiver.room(sock), settings.KODEMON_BUFFER_BYTES
        self.stdout.write(f"kodemon: listening on {book.address}/udp, receive buffer {got:,} bytes")
        if got < wanted:
            self.stdout.write(
                f"kodemon: asked for {wanted:,} bytes; to allow them: sysctl -w net.core.rmem_max={wanted}"
            )
        self.stdout.flush()

    def _print(self, samples: Sequence[Sample]) -> None:
        for one in samples:
            more = f" {one.extra}" if one.extra else ""
            self.stdout.write(
                f"{one.timestamp} {one.key} {one.execution_time:.6f} s, token {one.token}{more}"
            )
        self.stdout.flush()


def _tell(done: threading.Event, book: figures.Book) -> None:
    """A line each COUNTS_EVERY_S while something comes."""
    before = 0
    while not done.wait(COUNTS_EVERY_S):
        now = book.figures()
        if now.received != before:
            log.info(_counts(now))
        before = now.received


def _counts(now: figures.Figures) -> str:
    refused = ", ".join(f"{count:,} {reason}" for reason, count in now.refused.most_common())
    line = f"{now.received:,} received, {now.stored:,} stored, {now.refused.total():,} refused"
    line += f" ({refused})" if refused else ""
    return f"{line}, {now.dropped:,} dropped (queue full), {now.waiting:,} waiting"
