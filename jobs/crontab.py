"""The periodic table as lines of a crontab, and how they get into one and out again. Pure: text in, text out.

Our lines stand between two marks that name this checkout; whatever else the crontab holds stays as it is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from jobs.periodic import PeriodicJob


def block(jobs: Iterable[PeriodicJob], *, root: Path, python: str) -> str:
    """The marked block for the checkout at ``root``, run by the interpreter ``python``."""
    lines = [f"{when} {_command(job, root, python)}" for job in jobs for when in job.calendar]
    return "\n".join([_begin(root), *lines, _end(root)]) + "\n"


def with_block(crontab: str, own: str, root: Path) -> str:
    """``crontab`` with ``own`` in place of the block it had, or at its end."""
    rest = without_block(crontab, root)
    gap = "\n" if rest and not rest.endswith("\n") else ""
    return f"{rest}{gap}{own}"


def without_block(crontab: str, root: Path) -> str:
    """``crontab`` without this checkout's block; all other lines untouched."""
    pattern = rf"^{re.escape(_begin(root))}\n.*?^{re.escape(_end(root))}(?:\n|\Z)"
    return re.sub(pattern, "", crontab, flags=re.MULTILINE | re.DOTALL)


def _begin(root: Path) -> str:
    return f"# BEGIN Djamon in {root} (made by manage.py crontab --install; edits between the marks are lost)"


def _end(root: Path) -> str:
    return f"# END Djamon in {root}"


def _command(job: PeriodicJob, root: Path, python: str) -> str:
    words = shlex.join([python, str(root / "scripts" / "cronjob.py"), *job.command])
    log = shlex.quote(str(root / "var" / "cron.log"))
    return _for_cron(f"{words} >> {log} 2>&1")


def _for_cron(command: str) -> str:
    """In a crontab a bare percent sign ends the command."""
    return command.replace("%", r"\%")
