"""How a key stands in the path of a page or of an address of the API."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter

ANY_KEY = "any_key"


class AnyKey(StringConverter):
    """As ``path``, but line ends are a part of it, too."""

    regex = r"[\s\S]+"


register_converter(AnyKey, ANY_KEY)
