"""Twitter/X: one public post, through alerts.channels.twitter_api."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from alerts.channels.shape import Blame, Message, Outcome, Refused
from alerts.postlength import fitted

KEYS = ("CONSUMER_KEY", "CONSUMER_SECRET", "OAUTH_TOKEN", "OAUTH_SECRET")
ANSWER_TIMEOUT_S = 10.0


@dataclass
class TwitterChannel:
    """``clock`` gives Unix time: X says in it when its limit is reset."""

    name = "twitter"
    label = "Twitter/X"
    public = True
    limit_s = 30.0

    clock: Callable[[], float] = time.time
    answer_timeout_s: float = ANSWER_TIMEOUT_S
    _signer: Any = field(default=None, init=False)

    def recipients(self) -> list[str]:
        return [""] if settings.TWITTER else []

    def send(self, message: Message) -> Outcome:
        if lacking := [name for name in ("TWITTER", *KEYS) if not getattr(settings, name)]:
            return Refused(f"not set up: {', '.join(lacking)} not set", blame=Blame.CHANNEL)
        if message.public is None:
            return Refused("nothing to be said in public")
        # Requests and python-twitter take 0.2 s to load, which most commands need not pay.
        from alerts.channels import twitter_api  # noqa: PLC0415

        if self._signer is None:
            self._signer = twitter_api.signer()
        return twitter_api.post(self._signer, fitted(message.public), self.answer_timeout_s, self.clock)

    def close(self) -> None:
        if self._signer is not None:
            self._signer._session.close()
