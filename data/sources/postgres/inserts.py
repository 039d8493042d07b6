"""The values of an INSERT statement, as `pg_dump --inserts` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from data.errors import EventError

OPENING: Final = re.compile(
    r'INSERT INTO (?:"?[\w$]+"?\.)?"?[\w$]+"?\s*(?:\(([^)]*)\)\s*)?'
    r"(?:OVERRIDING SYSTEM VALUE\s+)?VALUES\s*"
)
VALUE: Final = re.compile(
    r"\s*(?:(NULL)|(E?)'((?:[^']|'')*)'(?:::[\w .\[\]\"]+)?|([-+.\w]+))\s*([,)])"
)
ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
UNREADABLE: Final = EventError(
    "this INSERT statement cannot be read; use pg_dump without --inserts"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """`columns` as written, "" where the statement names none; the values begin at `start`."""

    text: str
    columns: str
    start: int

    @classmethod
    def of(cls, text: str) -> Statement:
        """The statement of a text that begins with INSERT INTO and ends with a semicolon."""
        found = OPENING.match(text)
        return cls(text, found[1] or "", found.end()) if found else cls(text, "", len(text))

    def rows(self) -> Iterator[list[str | None] | EventError]:
        """The values of each row, null as None; what cannot be read ends the statement."""
        at = self.start
        if at == len(self.text):
            yield UNREADABLE
        while at < len(self.text):
            cells, at = self._row(at)
            if cells is None:
                yield UNREADABLE
                return
            yield cells
            at = self._next(at)

    def _row(self, at: int) -> tuple[list[str | None] | None, int]:
        cells: list[str | None] = []
        end = ""
        if self.text[at : at + 1] != "(":
            return None, at
        at += 1
        while end != ")":
            found = VALUE.match(self.text, at)
            if found is None:
                return None, at
            cells.append(_value(found))
            at, end = found.end(), found[5]
        return cells, at

    def _next(self, at: int) -> int:
        """Where the next row begins; the end where there is none."""
        opening = self.text.find("(", at)
        return len(self.text) if opening < 0 else opening


def _value(found: re.Match[str]) -> str | None:
    null, escaped, text, bare, _ = found.groups()
    if null:
        return None
    if bare is not None:
        return str(bare)
    text = text.replace("''", "'")
    if not escaped:
        return text
    return ESCAPE.sub(lambda letter: LETTERS.get(letter[1], letter[1]), text)
