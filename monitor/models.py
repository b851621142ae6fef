"""The monitor's rows. The current state of a site stands on its own row; its history in views and outages."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from alerts.models import Alert
from djamon.lib.uuid7 import uuid7
from monitor.validators import validate_good_codes, validate_name, validate_url
from monitor.verdicts import Verdict


class Group(models.Model):
    """Sites that belong together; the sites of an internal group are never named in public."""

    name = models.CharField(max_length=255, unique=True, validators=[validate_name])
    slug = models.SlugField(max_length=80, unique=True)
    internal = models.BooleanField(default=False, help_text="Never named in public posts.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A URL that is asked, with its current state as the last run left it."""

    class State(models.TextChoices):
        UNKNOWN = "unknown", "not asked yet"
        UP = "up", "up"
        FAILING = "failing", "failing"
        DOWN = "down", "down"

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=255, validators=[validate_name])
    slug = models.SlugField(max_length=80, unique=True)
    url = models.CharField("URL", max_length=2000, validators=[validate_url])
    enabled = models.BooleanField(default=True, help_text="A paused site is not asked.")
    interval_min = models.PositiveSmallIntegerField(
        "interval in minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text="Empty: asked in every run.",
    )
    good_codes = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_good_codes],
        help_text="Codes that mean up, separated by commas. Empty: as set for all sites.",
    )
    get_fallback = models.BooleanField(
        "GET where HEAD is refused", default=False, help_text="Asks again with GET after a 405 or 501."
    )

    # Written by monitor.recording alone, in the transaction that stores the view.
    state = models.CharField(max_length=10, choices=State, default=State.UNKNOWN, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    state_since = models.DateTimeField(null=True, editable=False)
    last_checked = models.DateTimeField(null=True, editable=False)
    last_verdict = models.PositiveSmallIntegerField(
        null=True, choices=[(v.value, v.name.lower()) for v in Verdict], editable=False
    )
    last_code = models.PositiveSmallIntegerField(null=True, editable=False)
    last_reason = models.CharField(max_length=200, blank=True, editable=False)
    last_ms = models.FloatField(null=True, editable=False)
    # The last results in the words of monitor.recent: home shows them for every site.
    recent = models.TextField(blank=True, default="", editable=False)
    # When its certificate ends, and when that was last read (not in every run: reading costs time).
    certificate_ends = models.DateTimeField(null=True, editable=False)
    certificate_read = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint(fields=["group", "name"], name="site_name_once_in_group"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("site", args=[self.slug])

    @property
    def shown_state(self) -> str:
        """The state for pages and JSON: a paused site's last state is history."""
        return str(self.state) if self.enabled else "paused"


class SiteView(models.Model):
    """One request to a site and what came back (DJ-03, DJ-04)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="views", db_index=False)
    date = models.DateTimeField()
    verdict = models.PositiveSmallIntegerField(choices=[(v.value, v.name.lower()) for v in Verdict])
    code = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=200)
    verb = models.CharField(max_length=4)
    total_ms = models.FloatField()
    lookup_ms = models.FloatField(null=True)
    connect_ms = models.FloatField(null=True)
    tls_ms = models.FloatField(null=True)
    wait_ms = models.FloatField(null=True)

    class Meta:
        ordering = ("-date",)
        # The last results of one site, and a range of them, are read along this index.
        indexes = (models.Index(fields=["site", "date"], name="view_by_site_and_date"),)

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d %H:%M:%S} {self.code or self.reason}"

    @property
    def up(self) -> bool | None:
        return {Verdict.UP: True, Verdict.DOWN: False}.get(Verdict(self.verdict))


class Tally(models.Model):
    """What a site's views of a span of time add up to; written by monitor.rollups alone.

    ``expected`` is how many runs the calendar and the site's interval asked for (monitor.expected), with
    fractions. The milliseconds are those of the ``up`` answers alone: a refusal is quick and a time-out slow,
    and neither says how fast the site answers; their mean is ``ms_sum / up``.
    """

    runs = models.PositiveIntegerField()
    up = models.PositiveIntegerField()
    down = models.PositiveIntegerField()
    inconclusive = models.PositiveIntegerField()
    expected = models.FloatField()
    ms_sum = models.FloatField()
    ms_min = models.FloatField(null=True)
    ms_max = models.FloatField(null=True)

    class Meta:
        abstract = True


class SiteHour(Tally):
    """A site's views of one hour, ``hour`` being its beginning in UTC; also where nothing was asked.

    The phases are summed of the same answers as ``ms_sum``; one that none of them had is None. All are None
    without a good answer, and where the hour was summed before there were these columns: nobody knows them.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()
    lookup_ms_sum = models.FloatField(null=True)
    connect_ms_sum = models.FloatField(null=True)
    tls_ms_sum = models.FloatField(null=True)
    wait_ms_sum = models.FloatField(null=True)

    class Meta:
        ordering = ("-hour",)
        # The constraint's index serves a range of one site or of several, the other what all did since then.
        constraints = (models.UniqueConstraint(fields=["site", "hour"], name="hour_once_for_a_site"),)
        indexes = (models.Index(fields=["hour"], name="site_hour_by_hour"),)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"


class SiteDay(Tally):
    """The sum of a site's hours of one day in UTC: months of a thousand sites are read from these."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()

    class Meta:
        ordering = ("-day",)
        constraints = (models.UniqueConstraint(fields=["site", "day"], name="day_once_for_a_site"),)
        indexes = (
            models.Index(fields=["day"], name="site_day_by_day"),
            # Holds all that uptime adds up: 90 days of 1,000 sites took 58 ms from the rows, 36 ms from here.
            models.Index(
                fields=["site", "day", "up", "down", "inconclusive", "expected"], name="site_day_uptime"
            ),
        )

    def __str__(self) -> str:
        return f"{self.day}"


class Outage(models.Model):
    """A time in which at least one site was down; at most one is open."""

    opened_at = models.DateTimeField(db_index=True)
    resolved_at = models.DateTimeField(null=True)
    sites: models.ManyToManyField[Site, OutageSites] = models.ManyToManyField(
        Site, through="OutageSites", related_name="outages"
    )

    class Meta:
        ordering = ("-opened_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                models.Case(models.When(resolved_at__isnull=True, then=models.Value(1))),
                name="at_most_one_open_outage",
            ),
        )

    def __str__(self) -> str:
        return f"Outage {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("outage", args=[self.pk])


class OutageSites(models.Model):
    """One fall of one site: when it fell and when it came back, or was paused or deleted instead."""

    class Ending(models.TextChoices):
        BACK = "back", "came back"
        PAUSED = "paused", "paused while down"
        DELETED = "deleted", "deleted while down"

    # The index of outage and time below serves this key too.
    outage = models.ForeignKey(Outage, on_delete=models.CASCADE, related_name="falls", db_index=False)
    site = models.ForeignKey(Site, on_delete=models.SET_NULL, null=True, related_name="falls")
    # What the site was called then: the history outlives the site.
    site_name = models.CharField(max_length=255)
    site_url = models.CharField(max_length=2000)
    fell_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    # Failed runs in a row that felled it; None: the fall is older than this column.
    strikes = models.PositiveSmallIntegerField(null=True)
    # What told of the fall; None: it is gone, or the fall is older than this column.
    alert = models.ForeignKey(Alert, on_delete=models.SET_NULL, null=True, related_name="+")
    back_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)

    class Meta:
        ordering = ("fell_at", "pk")
        verbose_name_plural = "outage sites"
        # The first falls of an outage, and pages of them, are read along this index in the order of falling.
        indexes = (models.Index(fields=["outage", "fell_at"], name="fall_by_outage_and_time"),)
        constraints = (
            models.UniqueConstraint(
                fields=["site"], condition=models.Q(back_at__isnull=True), name="site_is_down_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.site_name} in outage {self.outage_id}"


class OutageNote(models.Model):
    """What somebody of the staff wrote about an outage: plain text. Only monitor.notes writes it."""

    outage = models.ForeignKey(Outage, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="outage_notes"
    )
    # What the author was called then: the note outlives the account.
    author_name = models.CharField(max_length=150)
    text = models.TextField(max_length=4000)
    created = models.DateTimeField()
    edited = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created", "pk")

    def __str__(self) -> str:
        return f"{self.author_name} on outage {self.outage_id}"
