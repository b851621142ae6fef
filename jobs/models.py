"""The rows of periodic work: what ran, what a job remembers, and who may run it now."""

from __future__ import annotations

from django.db import models


class JobRun(models.Model):
    """One run of a job, from start to end. Written by jobs.recording alone."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        FAULT = "fault", "local fault"
        DIED = "died", "died"

    name = models.CharField(max_length=80)
    arguments = models.JSONField(default=dict)
    trigger = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    fence = models.PositiveBigIntegerField()

    class Meta:
        ordering = ("-started", "-pk")
        indexes = (
            # The last runs of one job, and those old enough to go, are read along this index.
            models.Index(fields=["name", "started"], name="run_by_name_and_start"),
            models.Index(fields=["started"], name="run_by_start"),
            # The few that run now, among tens of thousands: reaping looks for them each minute.
            models.Index(fields=["name"], condition=models.Q(state="running"), name="run_that_runs"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.started:%Y-%m-%d %H:%M:%S}"

    @property
    def took_s(self) -> float | None:
        """Seconds from start to end; None while it runs."""
        return (self.finished - self.started).total_seconds() if self.finished else None


class Checkpoint(models.Model):
    """What a job remembers from run to run: a key and a JSON value."""

    job = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    value = models.JSONField()
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("job", "key")
        constraints = (models.UniqueConstraint(fields=["job", "key"], name="checkpoint_once_for_a_job"),)

    def __str__(self) -> str:
        return f"{self.job}: {self.key}"


class Lease(models.Model):
    """Who may run the job of this name, one row a job; ``expires`` is None while nobody does.

    The row also points to the job's latest runs, so that pages need not look for them in the history.
    """

    name = models.CharField(max_length=80, primary_key=True)
    fence = models.PositiveBigIntegerField(default=0)
    holder = models.CharField(max_length=255, blank=True)  # djamon.lib.processes.Process as text
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    acquired = models.DateTimeField(null=True)
    renewed = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    latest_run = models.ForeignKey(JobRun, null=True, on_delete=models.SET_NULL, related_name="+")
    latest_finished = models.ForeignKey(JobRun, null=True, on_delete=models.SET_NULL, related_name="+")
    # When the first of the unbroken row of runs began that met a fault of our own; None: the latest did not.
    fault_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name} #{self.fence}"
