"""The rows of timings: who sends, each call, and what the calls of a span add up to.

Samples are the big table: narrow, in the order of series and time, without a key of their own. On SQLite the
migration makes it (and the summaries) WITHOUT ROWID, so that the table is its own index: half the file.
"""

from __future__ import annotations

from django.db import models

from timings.wire import LONGEST_KEY, LONGEST_TOKEN

MINUTE, HOUR, DAY = 60, 3600, 86_400
EVER = 0  # the level of the one span that holds all calls of a series
LEVELS = (MINUTE, HOUR, DAY, EVER)


class Series(models.Model):
    """One function of one sender: what samples name by a number."""

    key = models.CharField(max_length=LONGEST_KEY)
    token = models.CharField(max_length=LONGEST_TOKEN)
    first_seen = models.DateTimeField()
    last_ts = models.BigIntegerField(default=0)  # of its latest call, in seconds since 1970

    class Meta:
        ordering = ("key", "token")
        verbose_name_plural = "series"
        constraints = (models.UniqueConstraint(fields=["key", "token"], name="series_once"),)

    def __str__(self) -> str:
        return self.key


class Sample(models.Model):
    """One call: ``ts`` in whole seconds since 1970; ``seq`` tells those of a second apart, in order."""

    pk = models.CompositePrimaryKey("series_id", "ts", "seq")
    series_id = models.IntegerField()
    ts = models.BigIntegerField()
    seq = models.BigIntegerField()
    execution_time = models.FloatField()  # seconds

    class Meta:
        ordering = ("series_id", "ts", "seq")

    def __str__(self) -> str:
        return f"{self.execution_time} s"


class SampleExtra(models.Model):
    """The other fields of a call that brought some, as JSON text."""

    pk = models.CompositePrimaryKey("series_id", "ts", "seq")
    series_id = models.IntegerField()
    ts = models.BigIntegerField()
    seq = models.BigIntegerField()
    fields = models.TextField()

    def __str__(self) -> str:
        return self.fields


class Summary(models.Model):
    """What a series' calls of one minute, hour or day (in UTC), or all of them, add up to; times in seconds.

    ``level`` is the length of the span (EVER: all time) and ``start`` its beginning, in seconds; the
    ``histogram`` is as timings.histogram stores it.
    """

    pk = models.CompositePrimaryKey("level", "series_id", "start")
    level = models.IntegerField()
    series_id = models.IntegerField()
    start = models.BigIntegerField()
    count = models.BigIntegerField()
    total = models.FloatField()
    least = models.FloatField()
    most = models.FloatField()
    histogram = models.BinaryField()

    class Meta:
        verbose_name_plural = "summaries"

    def __str__(self) -> str:
        return f"{self.count} calls"


class Receiver(models.Model):
    """A receiver's figures since its installation, written with each batch that it stores."""

    address = models.CharField(max_length=100, unique=True)
    started = models.DateTimeField()
    updated = models.DateTimeField()
    received = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    refused = models.JSONField(default=dict)  # reason → datagrams
    queue_full = models.BigIntegerField(default=0)
    kernel_drops = models.BigIntegerField(default=0)
    queued = models.BigIntegerField(default=0)
    receive_buffer = models.BigIntegerField(default=0)  # bytes, as the kernel gave it

    def __str__(self) -> str:
        return self.address
