"""The channels by name. A new one: its file here, its line below, its settings."""

from __future__ import annotations

from collections.abc import Callable

from alerts.channels.email import EmailChannel
from alerts.channels.shape import Channel
from alerts.channels.twitter import TwitterChannel

CHANNELS: dict[str, Callable[[], Channel]] = {
    EmailChannel.name: EmailChannel,
    TwitterChannel.name: TwitterChannel,
}


def open_channels() -> dict[str, Channel]:
    """One fresh object for each channel, configured or not."""
    return {name: channel() for name, channel in CHANNELS.items()}


def label_of(name: str) -> str:
    """What people call the channel ``name``; its name where it is not among ours any more."""
    return CHANNELS[name]().label if name in CHANNELS else name
