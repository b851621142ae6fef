"""How a run reads on the pages."""

from __future__ import annotations

from django import template

from djamon.lib.durations import roughly
from jobs.models import JobRun

register = template.Library()

# A run's state in the shapes and colours that the pages have for states.
TONES = {"done": "up", "failed": "down", "died": "down", "fault": "failing", "running": "unknown"}


@register.filter
def tone(run: JobRun) -> str:
    return TONES[run.state]


@register.filter
def took(run: JobRun) -> str:
    """How long it ran, in words; empty while it does."""
    if run.took_s is None:
        return ""
    return roughly(run.took_s) if run.took_s >= 1 else "under 1 second"
