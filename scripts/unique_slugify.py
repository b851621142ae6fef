"""A slug that no other row has."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import Field, Model, QuerySet

EDGES = "-_"  # never at an end of a slug's words


def unique_slugify(  # noqa: PLR0913, PLR0917  (the signature that its callers know)
    instance: Model,
    value: object,
    slug_field_name: str = "slug",
    queryset: QuerySet[Any] | None = None,
    slug_separator: str = "-",
    case: str = "lower",
) -> None:
    """Set ``instance.<slug_field_name>`` to a slug of ``value`` that is free in ``queryset``; saves nothing.

    The slug is cut to the field's length. Where it is taken, or empty, ``-2``, ``-3``, … follows, the base
    shortened so that it fits. ``queryset`` is by default all rows of the model; the instance itself does not
    count as taken. ``case`` is ``lower`` or ``upper``; any other word leaves the letters as they are.

    Raises ValueError where the field is too short for any free slug.
    """
    field = instance._meta.get_field(slug_field_name)
    if not isinstance(field, Field):
        raise TypeError(f"{slug_field_name} is no field of its own table")
    text = "" if value is None else str(value)
    slug = _slug(text, slug_separator, case, unicode=getattr(field, "allow_unicode", False))
    rows = type(instance)._default_manager.all() if queryset is None else queryset
    if instance.pk is not None:
        rows = rows.exclude(pk=instance.pk)
    base = _cut(slug, field.max_length, slug_separator)
    setattr(instance, field.attname, _free(base, rows, field, slug_separator))


def _slug(text: str, separator: str, case: str, *, unicode: bool) -> str:
    """As Django's ``slugify``, which knows neither other separators nor capitals."""
    text = unicodedata.normalize("NFKC" if unicode else "NFKD", text)
    if not unicode:
        text = text.encode("ascii", "ignore").decode("ascii")
    if case in ("lower", "upper"):
        text = text.lower() if case == "lower" else text.upper()
    words = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text)).strip(EDGES)
    return words.replace("-", separator)


def _cut(slug: str, length: int | None, separator: str) -> str:
    """The first ``length`` characters, without a separator at the end."""
    return slug if length is None or len(slug) <= length else slug[:length].rstrip(EDGES + separator)


def _free(base: str, rows: QuerySet[Any], field: Field[Any, Any], separator: str) -> str:
    """``base``, or the first of its numbered forms that no row has: three queries, however many are taken."""
    if base and not rows.filter(**{field.attname: base}).exists():
        return base
    # Of n + 1 numbered forms, n rows leave at least one free: the search ends.
    numbers = range(2, rows.count() + 3)
    stem = _cut(base, _room(field.max_length, f"{separator}{numbers[-1]}"), separator)
    taken = set(rows.filter(**{f"{field.attname}__startswith": stem}).values_list(field.attname, flat=True))
    for number in numbers:
        slug = _numbered(base, f"{separator}{number}", field.max_length, separator)
        if slug not in taken:
            return slug
    raise ValueError(f"{field.name}: no form of {base!r} is free")


def _numbered(base: str, suffix: str, length: int | None, separator: str) -> str:
    """``base`` with ``suffix``, shortened to ``length``; raises ValueError where not even the suffix fits."""
    if length is not None and len(suffix) > length:
        raise ValueError(f"{length} characters are too few for a slug that ends in {suffix!r}")
    return _cut(base, _room(length, suffix), separator) + suffix


def _room(length: int | None, suffix: str) -> int | None:
    return None if length is None else max(0, length - len(suffix))
