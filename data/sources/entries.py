"""Entries of text files: CSV rows, JSON values of a list or one a line, each with its line.

Everything is streamed. An entry that cannot be read is an `EventError` in its place; where the
file breaks off, that is the last entry.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, TextIO

from data.errors import EventError
from data.sources.files import NOT_UTF8, File, as_text, encodable
from data.sources.format import Entry
from data.sources.lists import document_values, is_list, list_values

LONGEST_INTEGER: Final = 100
LONGEST_LINE: Final = 32 * 1024 * 1024
csv.field_size_limit(LONGEST_LINE)

Reader = Callable[[File], Iterator[Entry]]
TOO_LONG: Final = f"the line is longer than {LONGEST_LINE // 1024 // 1024} MB"


def _integer(digits: str) -> int | Decimal:
    """An integer; one of absurd length stays a decimal, which no field accepts."""
    return int(digits) if len(digits) < LONGEST_INTEGER else Decimal(digits)


# NaN and Infinity are no JSON, but written by some: they spoil their field, not the file.
DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_int=_integer, parse_constant=Decimal)


def rows(file: File) -> Iterator[Entry]:
    """CSV rows as mappings from the header's names to text."""
    line = 1
    try:
        with file.text() as text:
            reader = csv.reader(lines(text), strict=True)
            names = [name.strip() for name in next(reader, [])]
            while True:
                line = reader.line_num + 1
                if (row := _row(reader, names)) is None:
                    return
                if row:
                    yield f"{file.name}:{line}", row
    except EventError as error:
        yield f"{file.name}:{line}", error
    except csv.Error as error:
        yield f"{file.name}:{line}", EventError(f"the header is no CSV ({error})")


def _row(reader: Any, names: list[str]) -> dict[str, str] | EventError | None:
    """The next row, why it is none, nothing for a blank line, None at the end."""
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except csv.Error as error:
        return EventError(f"the row is no CSV ({error})")
    if not cells:
        return {}
    if len(cells) != len(names):
        return EventError(f"the row has {len(cells)} cells, the header {len(names)}")
    return dict(zip(names, cells, strict=True)) if encodable(*cells) else EventError(NOT_UTF8)


def values(file: File) -> Iterator[Entry]:
    """JSON values: the items of a list (alone, or as `data` of an object), else one a line."""
    return by_head(file, is_list, _listed, line_values)


def documents(file: File) -> Iterator[Entry]:
    """Whole JSON values, each with its line: one document, one a line, or items of a list."""
    return by_head(file, _begins_with_a_line, line_values, _documented)


def entries(file: File) -> Iterator[Entry]:
    """JSON values if the file begins like JSON, else CSV rows."""
    return by_head(file, begins_json, values, rows)


def begins_json(head: str) -> bool:
    return head.lstrip()[:1] in ("[", "{")


def by_head(file: File, test: Callable[[str], bool], this: Reader, that: Reader) -> Iterator[Entry]:
    """What one of two readers finds, by how the file begins; a file that cannot is one entry."""
    try:
        chosen = this if test(as_text(file.head())) else that
    except EventError as error:
        return iter([(f"{file.name}:1", error)])
    return chosen(file)


def _begins_with_a_line(head: str) -> bool:
    """Whether the first line is an object and not all: then a broken line harms no other."""
    first, _, rest = head.lstrip().partition("\n")
    try:
        return bool(rest.strip()) and isinstance(DECODER.decode(first), dict)
    except (ValueError, RecursionError):
        return False


def _documented(file: File) -> Iterator[Entry]:
    return document_values(file, DECODER)


def _listed(file: File) -> Iterator[Entry]:
    return list_values(file, DECODER)


def line_values(file: File) -> Iterator[Entry]:
    """JSON values, one a line; blank lines are none."""
    line = 0
    try:
        with file.text() as text:
            for line, content in enumerate(lines(text), start=1):
                if content.strip():
                    yield f"{file.name}:{line}", _value(content)
    except EventError as error:
        yield f"{file.name}:{line + 1}", error


def _value(content: str) -> Any:
    if len(content) > LONGEST_LINE:
        return EventError(TOO_LONG)
    if not encodable(content):
        return EventError(NOT_UTF8)
    try:
        return DECODER.decode(content)
    except (ValueError, RecursionError) as error:
        return EventError(f"the line is no JSON ({str(error)[:80]})")


def lines(text: TextIO) -> Iterator[str]:
    """Lines, none much longer than allowed: what follows in an endless one is dropped."""
    while line := text.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith("\n"):
            line = text.readline(LONGEST_LINE + 1)
