"""JSON values one after the other, items of lists too, without holding all in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from data.errors import EventError
from data.sources.files import BREAK, BROKEN, NOT_UTF8, File, Unpacked, encodable
from data.sources.format import Entry

CHUNK: Final = 256 * 1024
LONGEST_ITEM: Final = 32 * 1024 * 1024
LONGEST_DOCUMENT: Final = 256 * 1024 * 1024
OPENING: Final = re.compile(r'\s*(?:\{\s*"data"\s*:\s*)?\[')
BETWEEN: Final = re.compile(r"[\s,]*")
CUT_OFF: Final = "the list is cut off or damaged here; nothing after this can be read"
TOO_LONG: Final = "a value here is too long, or damaged; nothing after this can be read"
UTF8: Final = codecs.getincrementaldecoder("utf-8-sig")


def is_list(head: str) -> bool:
    """Whether a file begins like a JSON list, alone or as `data` of an object."""
    return OPENING.match(head) is not None


@dataclass(slots=True)
class Window:
    """The text being looked at: `at` is how far it is read, `line` the line that is."""

    stream: Unpacked
    held: str = ""
    at: int = 0
    line: int = 1
    broken: bool = False
    decode: codecs.IncrementalDecoder = field(default_factory=lambda: UTF8("surrogateescape"))

    def more(self) -> bool:
        """Read on, at least as much again as is held, so that retrying stays linear."""
        wanted = max(CHUNK, len(self.held) - self.at)
        self.held, self.at = self.held[self.at :], 0
        before = len(self.held)
        while len(self.held) - before < wanted and (part := self._part()):
            self.held += part
        return len(self.held) > before

    def _part(self) -> str:
        """The next piece, "" at the end and where the file breaks off (`broken` says which)."""
        try:
            while not self.broken and (part := self.stream.read1(CHUNK)):
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
        found = pattern.match(self.held, self.at)
        if found:
            self.pass_to(found.end())
        return found is not None

    def pass_to(self, end: int) -> None:
        self.line += self.held.count("\n", self.at, end)
        self.at = end


def list_values(file: File, decoder: json.JSONDecoder) -> Iterator[Entry]:
    """The items; one that is no JSON makes the rest unreadable and is the last entry."""
    line = 1
    try:
        with file.open() as stream:
            window = Window(stream)
            window.more()
            window.skip(OPENING)
            while _at_item(window):
                line = window.line
                yield f"{file.name}:{line}", _item(window, decoder)
    except EventError as error:
        yield f"{file.name}:{line}", error


def document_values(file: File, decoder: json.JSONDecoder) -> Iterator[Entry]:
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
                    yield f"{file.name}:{line}", _item(window, decoder, LONGEST_DOCUMENT)
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
    while window.at == len(window.held):
        if not window.more():
            return ""
        window.skip(BETWEEN)
    return window.held[window.at]


def _item(window: Window, decoder: json.JSONDecoder, longest: int = LONGEST_ITEM) -> Any:
    """The item that begins here, read on as far as it takes."""
    while True:
        try:
            value, end = decoder.raw_decode(window.held, window.at)
        except (ValueError, RecursionError):
            if len(window.held) - window.at > longest:
                raise EventError(TOO_LONG) from None
            if not window.more():
                raise EventError(window.end) from None
            continue
        content = window.held[window.at : end]
        window.pass_to(end)
        return value if encodable(content) else EventError(NOT_UTF8)
