"""Many sites at once: pasted lines as rows, and what an import would do with each row.

It has no rule of its own: monitor.csvfiles checks cells, monitor.importing finds conflicts and writes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from monitor import csvfiles
from monitor.csvfiles import Parsed, Refusal
from monitor.importing import Plan, import_sites
from monitor.models import Site

LINE_BREAK = re.compile(r"\r\n|\r|\n")
# A web address begins a line or stands after a blank, a tab or a comma.
ADDRESS = re.compile(r"(?:^|(?<=[\s,]))https?://", re.IGNORECASE)
UNREADABLE = "\ufffd"  # what a browser shows and sends for a NUL, and for bytes that are no text
BETWEEN = ", \t\u00a0\u3000"  # with the blanks of word processors and of Chinese and Japanese
NAME_LIMIT = Site._meta.get_field("name").max_length or 0


class Action(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    THERE = "there"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the row on ``line``; a refused one has its ``reason`` instead of a site."""

    line: int
    action: Action
    group: str = ""
    name: str = ""
    url: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """Every row's outcome, in the order of the lines, and the groups that come new with them."""

    rows: Sequence[Outcome]
    new_groups: Sequence[str]

    @property
    def added(self) -> int:
        return self._count(Action.ADD)

    @property
    def there(self) -> int:
        return self._count(Action.THERE)

    @property
    def refused(self) -> int:
        return self._count(Action.REFUSE)

    @property
    def fingerprint(self) -> str:
        """The same as long as the same would be done: who confirms a preview gets what it showed."""
        return hashlib.sha256(repr(self.rows).encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def worst_first(self) -> list[Outcome]:
        """What needs a look before what does not."""
        order = (Action.REFUSE, Action.ADD, Action.THERE)
        return sorted(self.rows, key=lambda row: order.index(row.action))

    def _count(self, action: Action) -> int:
        return sum(row.action is action for row in self.rows)


@dataclass(frozen=True, slots=True)
class Result:
    """``plan`` is what was written, or None: then ``preview`` says what would be done now."""

    preview: Preview
    plan: Plan | None


def parse_lines(text: str, group: str) -> Parsed:
    """Lines of ``URL``, ``name URL`` or ``name, URL`` as rows of ``group``, under the rules of CSV rows."""
    return csvfiles.collect(csvfiles.REQUIRED, (_row(*line, group) for line in site_lines(text)))


def _row(number: int, line: str, group: str) -> tuple[int, list[str] | Refusal]:
    if UNREADABLE in line:
        return number, Refusal(number, f"a character that cannot be read, shown as {UNREADABLE}: delete it")
    return number, [group, *split_line(line)]


def site_lines(text: str) -> list[tuple[int, str]]:
    """The lines that speak of a site, with their numbers from 1: neither empty nor a ``#`` comment."""
    lines = enumerate((line.strip() for line in LINE_BREAK.split(text)), start=1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def split_line(line: str) -> tuple[str, str]:
    """A line's name and URL: the URL goes from the first web address to the end, else it is the last word."""
    found = ADDRESS.search(line)
    url = line[found.start() :] if found else re.split(r"[\s,]+", line.rstrip(BETWEEN))[-1]
    name = line[: found.start()] if found else line.rstrip(BETWEEN)[: -len(url) or None]
    return name.strip(BETWEEN) or default_name(url), url


def default_name(url: str) -> str:
    """Host and path, as a site is called that was given no name."""
    try:
        parts = urlsplit(url)
    except ValueError:  # refused a moment later, with its reason
        return url[:NAME_LIMIT]
    return (parts.netloc.lower() + parts.path.rstrip("/"))[:NAME_LIMIT] or url[:NAME_LIMIT]


def without_lines(text: str, done: Iterable[int]) -> str:
    """The text without the lines of these numbers: what is left to correct."""
    gone = set(done)
    lines = enumerate(LINE_BREAK.split(text), start=1)
    return "\n".join(line for number, line in lines if number not in gone)


def preview(parsed: Parsed) -> Preview:
    """What an import would do now. Writes nothing; two queries."""
    return _preview(parsed, import_sites(parsed, dry_run=True))


def carry_out(parsed: Parsed, seen: str, *, skip_bad: bool) -> Result:
    """Write in one transaction what the preview with the fingerprint ``seen`` showed.

    Nothing is written where something else would be done by now, or where a row is refused and not skipped.
    """
    try:
        with transaction.atomic():
            now = preview(parsed)
            agreed = now.added and now.fingerprint == seen and (skip_bad or not now.refused)
            return Result(now, import_sites(parsed, skip_bad=skip_bad) if agreed else None)
    except IntegrityError:  # somebody added or deleted just the same rows at this moment (PostgreSQL)
        return Result(preview(parsed), None)


def _preview(parsed: Parsed, plan: Plan) -> Preview:
    new = {(group, site.name) for group, site in plan.sites}
    reasons = {refusal.line: refusal.reason for refusal in plan.refusals}
    rows = [Outcome(line, Action.REFUSE, reason=reason) for line, reason in reasons.items()]
    for entry in parsed.entries:
        if entry.line not in reasons:
            action = Action.ADD if entry.key in new else Action.THERE
            rows.append(Outcome(entry.line, action, entry.group, entry.values["name"], entry.values["url"]))
    rows.sort(key=lambda row: row.line)
    return Preview(rows, list(plan.groups))
