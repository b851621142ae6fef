"""Sites as CSV: text to checked entries and rows back to text. No query here; monitor.importing writes.

Columns: ``group,name,url`` and, if wanted, ``interval_min,good_codes,get_fallback,enabled,internal``, between
commas, semicolons or tabs. What is exported comes back as it was, also where a cell starts with a sign that a
spreadsheet takes for a formula.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from djamon.lib.environment import FALSE_WORDS, TRUE_WORDS
from monitor.errors import BadFile
from monitor.models import Group, Site

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

REQUIRED = ("group", "name", "url")
COLUMNS = (*REQUIRED, "interval_min", "good_codes", "get_fallback", "enabled", "internal")
# Each cell is checked by the validators of its model's field, as in forms.
SITE_FIELDS = {field.name: field for field in Site._meta.fields}
GROUP_NAME = next(field for field in Group._meta.fields if field.name == "name")
HEADER = re.compile(r"[^\r\n]+")
SEPARATORS = ",;\t"  # the first counts where the header has none, or as many of another
MAX_BYTES = 10_000_000
SHOWN_OF_A_CELL = 80  # characters of a bad cell in its refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not taken; ``line`` is where it begins in the file, from 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A good row: the fields that the file has; without a column for it ``internal`` is None."""

    line: int
    group: str
    values: dict[str, Any]
    internal: bool | None

    @property
    def key(self) -> tuple[str, str]:
        return self.group, self.values["name"]


@dataclass(frozen=True, slots=True)
class Parsed:
    entries: list[Entry]
    refusals: list[Refusal]


def about(column: str, cell: str, reason: str) -> str:
    """A refusal's words: the column, what stands there, and what is wrong with it."""
    return f"{column} “{_shown(cell)}”: {reason}" if cell else f"{column}: {reason}"


def decode(data: bytes) -> str:
    """UTF-8, with or without a byte order mark, or UTF-16 with one, as spreadsheets save it.

    Raises BadFile: too large, empty, or neither.
    """
    if len(data) > MAX_BYTES:
        raise BadFile(f"the file is larger than {MAX_BYTES // 1_000_000} MB; split it")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(f"line {line}: the file is not {'UTF-16' if wide else 'UTF-8'}") from error
    if not text.strip():
        raise BadFile("the file is empty")
    return text


def parse(text: str) -> Parsed:
    """Every row as an entry or a refusal. Raises BadFile where the header cannot be understood."""
    rows = _numbered_rows(text)
    return collect(_header(next(rows, (1, []))), rows)


def collect(header: Sequence[str], rows: Iterable[tuple[int, list[str] | Refusal]]) -> Parsed:
    """Rows by their lines, from a file or from anywhere else; ``header`` names their cells."""
    entries: dict[tuple[str, str], Entry] = {}
    refusals: list[Refusal] = []
    for line, cells in rows:
        found = cells if isinstance(cells, Refusal) else _entry(line, header, cells)
        if isinstance(found, Entry) and (first := entries.get(found.key)):
            there = f"stands in this group on line {first.line} already"
            found = Refusal(line, about("name", found.key[1], there))
        if isinstance(found, Refusal):
            refusals.append(found)
        else:
            entries[found.key] = found
    return Parsed(list(entries.values()), refusals)


def write(sites: Iterable[Site], out: SupportsWrite[str]) -> int:
    """All columns of ``sites``, which come with their groups; returns how many rows."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, site in enumerate(sites, start=1):  # noqa: B007  (counted for the caller)
        writer.writerow(_cells(site))
    return count


def _cells(site: Site) -> list[str]:
    flags = (site.get_fallback, site.enabled, site.group.internal)
    interval = "" if site.interval_min is None else str(site.interval_min)
    words = ["yes" if flag else "no" for flag in flags]
    return [site.group.name, site.name, site.url, interval, site.good_codes, *words]


def _numbered_rows(text: str) -> Iterator[tuple[int, list[str] | Refusal]]:
    """Rows with the line on which each begins: a quoted cell may go over several. Empty lines drop out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Refusal(line, _csv_reason(str(error)))
        else:
            if row:
                yield line, row


def _separator(text: str) -> str:
    """What stands between the cells: what the header has most of. Spreadsheets write semicolons where commas
    stand in numbers, and tabs into the clipboard.
    """
    header = HEADER.search(text)
    return max(SEPARATORS, key=header[0].count) if header else SEPARATORS[0]


def _csv_reason(words: str) -> str:
    return "a quote is opened and never closed" if words == "unexpected end of data" else f"not CSV: {words}"


def _header(first: tuple[int, list[str] | Refusal]) -> Sequence[str]:
    line, cells = first
    if isinstance(cells, Refusal):
        raise BadFile(str(cells))
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in COLUMNS:
            raise BadFile(f"line {line}: unknown column {_shown(name)!r}; known are {','.join(COLUMNS)}")
        if names.count(name) > 1:
            raise BadFile(f"line {line}: the column {name} stands there twice")
    for name in REQUIRED:
        if name not in names:
            raise BadFile(f"line {line}: the header has no column {name}")
    return names


def _entry(line: int, header: Sequence[str], cells: Sequence[str]) -> Entry | Refusal:
    if len(cells) != len(header):
        return Refusal(line, f"{len(cells)} columns, but the header has {len(header)}")
    values: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        try:
            values[name] = _value(name, cell.strip())
        except ValidationError as error:
            return Refusal(line, about(name, cell.strip(), error.messages[0]))
    return Entry(line, values.pop("group"), internal=values.pop("internal", None), values=values)


def _value(column: str, cell: str) -> Any:
    """The cell as its model's field takes it. Raises ValidationError."""
    if column == "group":
        return GROUP_NAME.clean(cell, None)
    if column in {"get_fallback", "enabled", "internal"}:
        return _flag(cell, empty=column == "enabled")
    if column == "interval_min" and not cell:
        return None
    return SITE_FIELDS[column].clean(cell, None)


def _flag(cell: str, *, empty: bool) -> bool:
    word = cell.lower()
    if word and word not in TRUE_WORDS | FALSE_WORDS:
        raise ValidationError("Neither yes nor no.")
    return word in TRUE_WORDS if word else empty


def _shown(cell: str) -> str:
    """The cell in one line of printable characters, so that a terminal shows what is meant."""
    short = cell if len(cell) <= SHOWN_OF_A_CELL else f"{cell[:SHOWN_OF_A_CELL]}…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in short)
