"""Free slugs for many new rows at once: the rule of unique_slugify, but one query for all of them."""

from __future__ import annotations

from monitor.models import Group, Site
from scripts.unique_slugify import unique_slugify


class SlugPool:
    """Hands out slugs that no stored row has and that were not handed out before."""

    def __init__(self, model: type[Group] | type[Site]) -> None:
        self._taken = set(model.objects.values_list("slug", flat=True))
        self._nobody = model.objects.none()
        self._length = model._meta.get_field("slug").max_length or 0
        # Where the search for each base goes on: ten thousand rows of one name must not be tried from 2 each.
        self._next_number: dict[str, int] = {}

    def assign(self, row: Group | Site) -> None:
        """Set ``row.slug`` from its name."""
        unique_slugify(row, row.name, queryset=self._nobody)  # asks no database
        row.slug = self._free("" if row.slug.startswith("-") else row.slug)
        self._taken.add(row.slug)

    def _free(self, base: str) -> str:
        slug, number = base, self._next_number.get(base, 2)
        while not slug or slug in self._taken:
            suffix = f"-{number}"
            slug = base[: self._length - len(suffix)].rstrip("-_") + suffix
            number += 1
        self._next_number[base] = number
        return slug
