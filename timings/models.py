"""The rows of timings: who sends, each call, and what the calls of a span add up to; limits.

Samples are the big table: narrow, in the order of series and time, without a key of their own. On SQLite the
migration makes it (and the summaries) WITHOUT ROWID, so that the table is its own index: half the file.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from timings import limits
from timings.wire import LONGEST_CALL_S, LONGEST_KEY, LONGEST_TOKEN

MINUTE, HOUR, DAY = 60, 3600, 86_400
EVER = 0  # the level of the one span that holds all calls of a series
LEVELS = (MINUTE, HOUR, DAY, EVER)
LEAST_THRESHOLD_MS = 0.001
MOST_FEWEST = 1_000_000_000  # calls a minute


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


class Limit(models.Model):
    """How slow a function may get before people are told; timings.limits has the rule.

    ``version`` counts the edits: whoever judged by another one writes nothing.
    """

    class Figure(models.TextChoices):
        P50 = "p50", "p50 (median)"
        P95 = "p95", "p95"
        P99 = "p99", "p99"
        MEAN = "mean", "mean"
        MAX = "max", "max"

    class State(models.TextChoices):
        FINE = limits.State.FINE.value, "fine"
        OVER = limits.State.OVER.value, "over"
        UNKNOWN = limits.State.UNKNOWN.value, "not known"

    key = models.CharField(max_length=LONGEST_KEY, help_text="As the function is listed: shop.py-buy.")
    token = models.CharField(
        max_length=LONGEST_TOKEN, blank=True, help_text="Empty: the calls of all tokens together."
    )
    figure = models.CharField(max_length=4, choices=Figure, default=Figure.P95)
    threshold_ms = models.FloatField(
        "above, in ms",
        validators=[
            MinValueValidator(LEAST_THRESHOLD_MS, "Take at least %(limit_value)s ms."),
            MaxValueValidator(LONGEST_CALL_S * 1000, "No call takes that long."),
        ],
    )
    minutes = models.SmallIntegerField(
        "for minutes",
        default=5,
        validators=[
            MinValueValidator(1, "Take 1 minute or more."),
            MaxValueValidator(limits.MOST_MINUTES, "Take at most %(limit_value)s minutes, which is a day."),
        ],
        help_text="At least half of them must have calls: take 1 for what is called seldom.",
    )
    fewest = models.IntegerField(
        "fewest calls a minute",
        default=1,
        validators=[
            MinValueValidator(1, "Take 1 call or more."),
            MaxValueValidator(MOST_FEWEST, "Take at most %(limit_value)s calls."),
        ],
        help_text="A minute with fewer does not count, so that one slow call at night wakes nobody.",
    )
    public = models.BooleanField(
        "post it on X too", default=False, help_text="Then the world reads the name of the function."
    )
    enabled = models.BooleanField(default=True, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    # Written by timings.limit_check, in the transaction that holds the alert; and by timings.limit_editing.
    state = models.CharField(max_length=7, choices=State, default=State.UNKNOWN, editable=False)
    since = models.DateTimeField(editable=False)
    over_since = models.DateTimeField(null=True, editable=False)  # what is unknown may have been over before
    judged = models.DateTimeField(null=True, editable=False)  # the end of the last minute that was looked at
    newest_at = models.DateTimeField(null=True, editable=False)  # the last minute with calls enough
    newest_ms = models.FloatField(null=True, editable=False)
    newest_calls = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ("key", "token", "figure", "threshold_ms", "pk")
        # Each page asks whether there is one that is over.
        indexes = (models.Index(fields=["enabled", "state", "over_since"], name="limit_over"),)

    def __str__(self) -> str:
        return f"{self.figure} of {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("timings_limit", args=[self.pk])
