"""Words of the outbox for pages: the name of a channel."""

from __future__ import annotations

from django import template

from alerts.channels import label_of

register = template.Library()


@register.filter
def channel_label(name: str) -> str:
    return label_of(name)
