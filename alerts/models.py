"""The outbox's rows: what is to be told, to whom, and every attempt to do so.

An alert is written in the transaction that changes its subject; a sender writes the rest afterwards.
"""

from __future__ import annotations

from django.db import models

from djamon.lib.uuid7 import uuid7

SUBJECT_LENGTH = 255
RESULT_LENGTH = 300


class Alert(models.Model):
    """One message about one subject, for all channels and recipients."""

    reference = models.CharField(max_length=100)  # what it is about, in the writer's words: "outage:12"
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    text = models.TextField()
    html = models.TextField()
    public = models.TextField(null=True)  # noqa: DJ001  (None: nothing to be said in public)
    created = models.DateTimeField()
    expires = models.DateTimeField()

    class Meta:
        ordering = ("created", "pk")
        # The page of an outage asks for the alerts about it.
        indexes = (models.Index(fields=["reference", "created"], name="alert_by_reference"),)

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """One alert to one recipient of one channel, and how far it has come.

    Only the holder of ``claim`` may write the outcome of a send. After ``lease_until`` the claim is open
    to others: its holder died, and what it had under way is repeated with the same ``key``.
    """

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        SENT = "sent", "sent"
        EXPIRED = "expired", "given up"
        DROPPED = "dropped", "given up by hand"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20)
    address = models.TextField(blank=True)  # empty where the channel has one recipient only
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    key = models.UUIDField(default=uuid7, unique=True, editable=False)  # the same for each try
    sent_at = models.DateTimeField(null=True)
    last_result = models.CharField(max_length=RESULT_LENGTH, blank=True)
    # The last result is one of the channel, which was down, and says nothing of this delivery.
    channel_fault = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(fields=["alert", "channel", "address"], name="told_once_by_channel"),
        )
        # Senders ask "what is due": few rows are pending, however many were sent. Of each they ask "does one
        # to the same recipient come first": without its index SQLite would read all that is pending for each.
        indexes = (
            models.Index(fields=["state", "next_try"], name="delivery_due"),
            models.Index(fields=["channel", "address", "state"], name="delivery_turn"),
        )

    def __str__(self) -> str:
        return f"{self.channel} to {self.address}" if self.address else self.channel


class Attempt(models.Model):
    """One try of one delivery; ``elapsed_ms`` is unknown where the sender died."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    ok = models.BooleanField()
    result = models.CharField(max_length=RESULT_LENGTH)
    elapsed_ms = models.FloatField(null=True)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.result


class ChannelTotal(models.Model):
    """Attempts of one channel since ever, counted along so that /metrics need not count the history."""

    channel = models.CharField(max_length=20, primary_key=True)
    sent = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.channel}: {self.sent} sent, {self.failed} failed"
