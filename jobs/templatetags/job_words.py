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
def given(run: JobRun) -> str:
    """What the run was told to work on (``site bbc, itv; group news``); empty where it was told nothing."""
    return "; ".join(f"{name} {_in_words(value)}" for name, value in run.arguments.items() if value)


def _in_words(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


@register.filter
def took(run: JobRun) -> str:
    """How long it ran, in words; empty while it does."""
    if run.took_s is None:
        return ""
    return roughly(run.took_s) if run.took_s >= 1 else "under 1 second"
