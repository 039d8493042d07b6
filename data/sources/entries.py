"""Entries of text files: rows, JSON values of a list or one a line, each with its line.

Everything is streamed. An entry that cannot be read is an `EventError` in its place; where the
file breaks off, that is the last entry.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.files import (
    BREAK,
    LONGEST_LINE,
    NOT_UTF8,
    File,
    encodable,
)
from data.sources.format import Entry
from data.sources.packing import BROKEN, Unpacked

CHUNK: Final = 256 * 1024
PART: Final = 64 * 1024  # larger ones cost the system more
LONGEST_ITEM: Final = 32 * 1024 * 1024
LONGEST_DOCUMENT: Final = 256 * 1024 * 1024
OPENING: Final = re.compile(r'\s*(?:\{\s*"data"\s*:\s*)?\[')
BETWEEN: Final = re.compile(r"[\s,]*")
CUT_OFF: Final = "the list is cut off or damaged here; nothing after this can be read"
VALUE_TOO_LONG: Final = "a value here is too long, or damaged; nothing after this can be read"
UTF8: Final = codecs.getincrementaldecoder("utf-8-sig")
LONGEST_INTEGER: Final = 100
BLANKS: Final = " \t\n\r"  # of JSON
Reader = Callable[[File], Iterator[Entry]]
Decode = Callable[[str, int], tuple[Any, int]]  # a text, where a value begins; and where it ends
LINE_TOO_LONG: Final = f"the line is longer than {LONGEST_LINE // 1024 // 1024} MB"


def is_list(head: str) -> bool:
    """Whether a file begins like a JSON list, alone or as `data` of an object."""
    return OPENING.match(head) is not None


@dataclass(slots=True)
class Window:
    """The text being looked at: `at` is how far it is read, `line` the line that is."""

    stream: Unpacked
    buffer: str = ""
    at: int = 0
    line: int = 1
    broken: bool = False
    stray: bool = False  # a byte that is no character is in what is held
    decode: codecs.IncrementalDecoder = field(default_factory=lambda: UTF8("surrogateescape"))

    def more(self) -> bool:
        """Read on, at least as much again as is held, so that retrying stays linear."""
        least = max(CHUNK, len(self.buffer) - self.at)
        self.buffer, self.at = self.buffer[self.at :], 0
        parts, missing = [self.buffer], least
        while missing > 0 and (part := self._part()):
            self.stray = self.stray or not encodable(part)
            parts.append(part)
            missing -= len(part)
        self.buffer = "".join(parts)
        return missing < least

    def _part(self) -> str:
        """The next piece, "" at the end and where the file breaks off (`broken` says which)."""
        try:
            while not self.broken and (part := self.stream.read1(min(PART, CHUNK))):
                if text := self.decode.decode(part):  # "" while a character is incomplete
                    return text
        except BROKEN:
            self.broken = True
        return ""

    @property
    def end(self) -> str:
        return BREAK if self.broken else CUT_OFF

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass what matches here; whether anything does."""
        found = pattern.match(self.buffer, self.at)
        if found:
            self.pass_to(found.end())
        return found is not None

    def pass_to(self, end: int) -> None:
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end


def list_values(file: File, decode: Decode) -> Iterator[Entry]:
    """The items; one that is no JSON makes the rest unreadable and is the last entry."""
    line = 1
    try:
        with file.open() as stream:
            window = Window(stream)
            window.more()
            window.skip(OPENING)
            while _at_item(window):
                line = window.line
                yield f"{file.name}:{line}", _item(window, decode)
    except EventError as error:
        yield f"{file.name}:{line}", error


def document_values(file: File, decode: Decode) -> Iterator[Entry]:
    """Values one after the other, those of lists item by item; the last entry may be a break."""
    line, depth = 1, 0
    try:
        with file.open() as stream:
            window = Window(stream)
            while mark := _mark(window):
                line = window.line
                if mark in "[]":
                    depth += 1 if mark == "[" else -1
                    window.pass_to(window.at + 1)
                else:
                    yield f"{file.name}:{line}", _item(window, decode, LONGEST_DOCUMENT)
            if depth or window.broken:
                raise EventError(window.end)
    except EventError as error:
        yield f"{file.name}:{line}", error


def _at_item(window: Window) -> bool:
    """Go to the next item; False at the end of the list."""
    if not (mark := _mark(window)):
        raise EventError(window.end)
    return mark != "]"


def _mark(window: Window) -> str:
    """The character that comes after blanks and commas, "" where nothing does."""
    window.skip(BETWEEN)
    while window.at == len(window.buffer):
        if not window.more():
            return ""
        window.skip(BETWEEN)
    return window.buffer[window.at]


def _item(window: Window, decode: Decode, longest: int = LONGEST_ITEM) -> Any:
    """The item that begins here, read on as far as it takes."""
    while True:
        try:
            value, end = decode(window.buffer, window.at)
        except (ValueError, RecursionError):
            if len(window.buffer) - window.at > longest:
                raise EventError(VALUE_TOO_LONG) from None
            if not window.more():
                raise EventError(window.end) from None
            continue
        whole = not window.stray or encodable(window.buffer[window.at : end])
        window.pass_to(end)
        return value if whole else EventError(NOT_UTF8)


def _integer(digits: str) -> int | Decimal:
    """An integer; one of absurd length stays a decimal, which no field accepts."""
    return int(digits) if len(digits) < LONGEST_INTEGER else Decimal(digits)


# NaN and Infinity are no JSON, but written by some: they spoil their field, not the file.
DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_int=_integer, parse_constant=Decimal)
QUICK: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=Decimal)
SCAN: Final[Decode] = vars(QUICK)["scan_once"]


def json_value(text: str, at: int = 0) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends; raises as `DECODER.raw_decode` does."""
    try:
        return SCAN(text, at)
    except json.JSONDecodeError:
        raise
    except (ValueError, StopIteration):  # an integer of absurd length; no value
        return DECODER.raw_decode(text, at)


def values(file: File) -> Iterator[Entry]:
    """JSON values: the items of a list (alone, or as `data` of an object), else one a line, or one
    that is spread over lines."""
    return by_head(file, is_list, _list_items, _lines_or_spread)


def _lines_or_spread(file: File) -> Iterator[Entry]:
    return by_head(file, _is_spread, _documented, line_values)


def _is_spread(head: str) -> bool:
    """Whether the first line only begins an object, as it is printed to be read."""
    first, _, rest = head.lstrip().partition("\n")
    return first[:1] == "{" and first.rstrip()[-1:] in ("{", "[", ",") and bool(rest.strip())


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
        chosen = this if test(file.head_text()) else that
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
    return document_values(file, json_value)


def _list_items(file: File) -> Iterator[Entry]:
    return list_values(file, json_value)


def line_values(file: File) -> Iterator[Entry]:
    """JSON values, one a line; blank lines are none."""
    line = 0
    try:
        for line, content in enumerate(file.lines(), start=1):
            if not content.isspace():
                yield f"{file.name}:{line}", _line_value(content)
    except EventError as error:
        yield f"{file.name}:{line + 1}", error


def _line_value(content: str) -> Any:
    if len(content) > LONGEST_LINE:
        return EventError(LINE_TOO_LONG)
    if not (content.isascii() or encodable(content)):
        return EventError(NOT_UTF8)
    value = content.strip(BLANKS)
    try:
        found, end = SCAN(value, 0)
        if end == len(value):
            return found
    except (ValueError, StopIteration, RecursionError):
        pass
    try:
        return DECODER.decode(content)
    except (ValueError, RecursionError) as error:
        return EventError(f"the line is no JSON ({str(error)[:80]})")
