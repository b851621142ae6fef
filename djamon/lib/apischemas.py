"""What JSON endpoints answer when they refuse: the schemas of djamon.lib.negotiation's one shape."""

from __future__ import annotations

from typing import Any

from ninja import Schema


class Error(Schema):
    """What is wrong, in one sentence."""

    error: str


class InputError(Error):
    """The same of one input."""

    field: str


ERRORS: dict[int, Any] = {401: Error, 403: Error, 404: Error}
