"""What must be right before anything starts: the system checks, each mistake on a line of its own."""

from __future__ import annotations

from django.core.checks import ERROR, run_checks
from django.core.management.base import CommandError


def refuse_mistakes(command: str) -> None:
    """Raise CommandError with a line for each mistake that a check calls an error; warnings may pass.

    The checks that ask a database are left out: whether it answers is said by what needs it.
    """
    grave = [found for found in run_checks() if found.level >= ERROR and not found.is_silenced()]
    if grave:
        raise CommandError("\n".join(f"{command}: {_one_line(found.msg, found.hint)}" for found in grave))


def _one_line(message: str, hint: str | None) -> str:
    return " ".join(f"{message} {hint or ''}".split())
