"""What goes to the log of a request that was refused: one line, for its fault is not ours."""

from __future__ import annotations

import logging


class OneLine(logging.Filter):
    """Takes the traceback from every record below ``from_level`` (its name); at and above it, it is kept."""

    def __init__(self, from_level: str = "ERROR") -> None:
        super().__init__()
        self.from_level = logging.getLevelNamesMapping()[from_level]

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < self.from_level:
            record.exc_info = record.exc_text = None
        return True
