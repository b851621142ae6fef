"""Python's search for cycles of objects, for what makes many objects and few cycles."""

from __future__ import annotations

import gc

OBJECTS = 1_000_000  # that are made before the next search


def search_seldom(objects: int = OBJECTS) -> None:
    """In this process, from now on: with a hundred thousand objects about, each search costs milliseconds."""
    gc.set_threshold(objects)
