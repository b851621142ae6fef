"""What can go wrong with an edit or a file and is no bug.

DjamonError
├── EditRefused: an edit that cannot be; ``field`` is the input that it speaks of
│   ├── NameTaken
│   ├── GroupGone
│   └── ChangedMeanwhile
└── BadFile: a file of sites cannot be taken as a whole
"""

from __future__ import annotations

from djamon.lib.commands import DjamonError


class EditRefused(DjamonError):  # noqa: N818  (the names say what is, as values do)
    """Others are adding rows of this name right now; try again."""

    field: str | None = "name"

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.__doc__)


class NameTaken(EditRefused):
    """The name is taken."""


class GroupGone(EditRefused):
    """The group has been deleted meanwhile; choose another."""

    field = "group"


class ChangedMeanwhile(EditRefused):
    """Somebody else has saved this at the same moment. Yours is kept here: look at it and send it again."""

    field = None


class BadFile(DjamonError):  # noqa: N818
    """The file cannot be taken."""
