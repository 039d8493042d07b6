"""Rows of a plain `pg_dump`, table by table, streamed; tables nobody wants are passed over.

COPY blocks and INSERT statements (`--inserts`, `--column-inserts`, `--rows-per-insert`) alike. A
row that cannot be read is an `EventError` in its place; where the dump breaks off, that is last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from data.errors import EventError
from data.sources.entries import LINE_TOO_LONG
from data.sources.files import LONGEST_LINE, NOT_UTF8, File, encodable

INSERT: Final = re.compile(
    r'INSERT INTO (?:"?[\w$]+"?\.)?"?[\w$]+"?\s*(?:\(([^)]*)\)\s*)?'
    r"(?:OVERRIDING SYSTEM VALUE\s+)?VALUES\s*"
)
INSERT_VALUE: Final = re.compile(
    r"\s*(?:(NULL)|(E?)'((?:[^']|'')*)'(?:::[\w .\[\]\"]+)?|([-+.\w]+))\s*([,)])"
)
UNREADABLE: Final = EventError(
    "this INSERT statement cannot be read; use pg_dump without --inserts"
)
Row = dict[str, str | None]
Found = tuple[str, str, Row | EventError | None]  # table, "file:line", its row; None: it begins
Shorten = Callable[[str], str]
Wanted = Mapping[str, Sequence[str]]  # columns of interest by table
NAME: Final = r'(?:"?[\w$]+"?\.)?"?([\w$]+)"?'
BEGINS: Final = re.compile(rf"(?:(COPY)|(INSERT INTO)|(CREATE TABLE)) {NAME}\s")
COPIED: Final = re.compile(r"\(([^)]*)\) FROM stdin;\s*$", re.IGNORECASE)
QUOTED: Final = re.compile(r'"([^"]+)"|([\w$]+)')
DEFINED: Final = re.compile(r'\s+(?:"([^"]+)"|([\w$]+)) ')
ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
COPIED_LETTERS: Final = LETTERS | {"v": "\v"}
CUT_OFF: Final = "the dump breaks off inside this table; nothing after this can be read"


@dataclass(frozen=True, slots=True)
class Statement:
    """`columns` as written, "" where the statement names none; the values begin at `start`."""

    text: str
    columns: str
    start: int

    @classmethod
    def of(cls, text: str) -> Statement:
        """The statement of a text that begins with INSERT INTO and ends with a semicolon."""
        found = INSERT.match(text)
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
            found = INSERT_VALUE.match(self.text, at)
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


def rows(file: File, wanted: Wanted, shorten: Shorten | None = None) -> Iterator[Found]:
    """What the dump holds of these tables, in its order. `shorten` takes out of a copied row what
    nobody reads, without tabs."""
    reader = _Reader(file.name, wanted, shorten)
    try:
        for reader.line, content in enumerate(file.lines(), start=1):
            yield from reader.read(content)
        yield from reader.end()
    except EventError as error:
        yield reader.table, f"{file.name}:{reader.line + 1}", error


class _Reader:
    """Where in the dump we are: between tables, in a COPY block, in a statement."""

    def __init__(self, name: str, columns: Wanted, shorten: Shorten | None) -> None:
        self._name, self._wanted, self._shorten = name, columns, shorten
        self._columns: dict[str, list[str]] = {}
        self._begun: set[str] = set()
        self._mode, self._names = "", [""]
        self._lines: list[str] = []
        self._length = self._quotes = 0
        self.table, self.line = "", 0

    def read(self, content: str) -> Iterator[Found]:
        if self._mode == "copy":
            return self._copied(content)
        if self._mode == "insert":
            return self._stated(content)
        if self._mode == "create":
            self._defined(content)
            return iter(())
        found = BEGINS.match(content)
        return iter(()) if found is None else self._begin(found, content)

    def end(self) -> Iterator[Found]:
        if self._mode:
            yield self._found(EventError(CUT_OFF))

    def _found(self, row: Row | EventError | None) -> Found:
        return self.table, f"{self._name}:{self.line}", row

    def _begin(self, found: re.Match[str], content: str) -> Iterator[Found]:
        self.table = found[4]
        if found[3]:
            self._mode = "" if content.rstrip().endswith(";") else "create"
            self._columns[self.table] = []
            return
        if self.table in self._wanted.keys() - self._begun:
            self._begun.add(self.table)
            yield self._found(None)
        if found[2]:
            yield from self._stated(content)
        elif copied := COPIED.search(content):
            self._mode, self._names = "copy", _names(copied[1])

    def _defined(self, content: str) -> None:
        if content.startswith(")"):
            self._mode = ""
        elif (column := DEFINED.match(content)) and column[2] not in ("CONSTRAINT", "PRIMARY"):
            self._columns[self.table].append(column[1] or column[2])

    def _copied(self, content: str) -> Iterator[Found]:
        content = content.rstrip("\r\n")
        if content == r"\.":
            self._mode = ""
        elif self.table in self._wanted:
            content = self._shorten(content) if self._shorten else content
            yield self._found(self._row(content, content.split("\t")))

    def _row(self, content: str, cells: list[str]) -> Row | EventError:
        if len(content) > LONGEST_LINE:
            return EventError(LINE_TOO_LONG)
        if len(cells) != len(self._names):
            return EventError(f"the row has {len(cells)} cells, the table {len(self._names)}")
        if not encodable(content):
            return EventError(NOT_UTF8)
        pairs = zip(self._names, cells, strict=True)
        selected = self._wanted[self.table]
        return {name: _unescaped(cell) for name, cell in pairs if name in selected}

    def _stated(self, content: str) -> Iterator[Found]:
        """A line of a statement, which ends with a semicolon outside of any text."""
        self._mode = "insert"
        self._lines.append(content)
        self._length += len(content)
        self._quotes += content.count("'")
        long = self._length > LONGEST_LINE
        if not long and (self._quotes % 2 or not content.rstrip().endswith(";")):
            return
        if self.table in self._wanted:
            yield from [self._found(EventError(LINE_TOO_LONG))] if long else self._inserted()
        self._mode, self._lines, self._length, self._quotes = "", [], 0, 0

    def _inserted(self) -> Iterator[Found]:
        statement = Statement.of("".join(self._lines))
        names = _names(statement.columns) or self._columns.get(self.table, [])
        selected = self._wanted[self.table]
        for cells in statement.rows():
            if isinstance(cells, EventError) or not encodable(*filter(None, cells)):
                yield self._found(cells if isinstance(cells, EventError) else EventError(NOT_UTF8))
            elif len(cells) != len(names):
                problem = f"the row has {len(cells)} values, the table {len(names)} columns"
                yield self._found(EventError(problem))
            else:
                pairs = zip(names, cells, strict=True)
                yield self._found({name: cell for name, cell in pairs if name in selected})


def _names(columns: str) -> list[str]:
    return [quoted or plain for quoted, plain in QUOTED.findall(columns)]


def _unescaped(cell: str) -> str | None:
    if "\\" not in cell:
        return cell
    if cell == r"\N":
        return None
    return ESCAPE.sub(lambda found: COPIED_LETTERS.get(found[1], found[1]), cell)
