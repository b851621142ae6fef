"""The thread that stores: what it does with errors. A store and a book that fail stand for a database's."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

import pytest
from django.db import DataError, IntegrityError, InternalError, OperationalError, ProgrammingError

from timings.inbox import CHUNK_SIZE, Inbox
from timings.store import Stored
from timings.writer import KEYS_TOGETHER, Writer

pytestmark = pytest.mark.django_db(transaction=True)  # it opens transactions of its own


class Store:
    """Keeps samples; ``fails`` gives the error that a batch meets, if any."""

    def __init__(self, fails):
        self.fails = fails
        self.keys = []
        self.sizes = []

    def write(self, samples):
        if error := self.fails([sample.key for sample in samples]):
            raise error
        self.keys += [sample.key for sample in samples]
        self.sizes.append(len(samples))
        return Stored(len(samples), Counter())

    def forget(self):
        pass


class Book:
    def __init__(self):
        self.stored = 0
        self.refused: Counter[str] = Counter()
        self._now: tuple[int, Counter[str]] = (0, Counter())

    def is_old(self):
        return False

    def add(self, stored, refused):
        self._now = (stored, refused)

    def keep(self):
        self.stored += self._now[0]
        self.refused += self._now[1]


def datagram(key: str) -> bytes:
    return json.dumps({"key": key, "execution_time": 0.1}).encode()


def written(fails, *keys, on_samples=None):
    inbox = Inbox(1 << 24)
    store: Any = Store(fails)
    book: Any = Book()
    writer = Writer(inbox, store, book, frozenset(), on_samples)
    for at in range(0, len(keys), CHUNK_SIZE):
        inbox.put([datagram(key) for key in keys[at : at + CHUNK_SIZE]])
    writer.start()
    writer.end()
    return store, book, writer


@pytest.mark.parametrize(
    "error", [DataError("no"), IntegrityError("no"), OverflowError("no"), ValueError("no")], ids=repr
)
def test_the_one_call_that_cannot_be_stored_is_counted_and_the_others_are_stored(error, caplog):
    caplog.set_level(logging.CRITICAL)
    keys = ["a", "b", "bad", "c", "d", "bad", "e"]
    store, book, writer = written(lambda some: error if "bad" in some else None, *keys)
    assert store.keys == ["a", "b", "c", "d", "e"]
    assert (book.stored, book.refused, writer.lost) == (5, {"cannot be stored": 2}, 0)


@pytest.mark.parametrize(
    "error",
    [OperationalError("locked"), InternalError("read-only"), ProgrammingError("no such table")],
    ids=repr,
)
def test_while_the_database_cannot_be_written_a_batch_is_tried_again_whole(error, caplog):
    tries = iter([error, None])
    store, book, writer = written(lambda _keys: next(tries), "a", "b")
    assert (store.keys, book.stored, writer.lost) == (["a", "b"], 2, 0)
    said = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert said == ["The database is away, what comes is kept in memory", said[-1]]
    assert said[-1].startswith("The database is back")


def test_more_keys_than_go_together_are_stored_one_batch_after_the_other():
    keys = [str(number) for number in range(2 * KEYS_TOGETHER + 1)]
    store, book, _ = written(lambda _keys: None, *keys)
    assert (store.keys, book.stored) == (keys, len(keys))
    assert store.sizes == [KEYS_TOGETHER, KEYS_TOGETHER, 1]


def test_where_messages_cannot_be_printed_they_are_stored_all_the_same(caplog):
    caplog.set_level(logging.CRITICAL)

    def closed(_samples):
        raise BrokenPipeError

    store, book, _ = written(lambda _keys: None, "a", "b", on_samples=closed)
    assert (store.keys, book.stored) == (["a", "b"], 2)
