"""Delimited text: rows of cells, however a program or a spreadsheet wrote them.

How a file is written is looked at once, near its beginning; then every row is read alike.

separator  comma, tab, semicolon or pipe: what makes most columns of the header; `sep=;` says it
quotes     a row that is one quoted cell is read from inside, as are cells quoted twice; ="007",
           with which Excel keeps digits, is 007
numbers    stay as they are where a point is the decimal mark (`fields.decimal` knows thousands and
           dollar signs). Where it is a comma, cells that are numbers are rewritten with a point. A
           column, or a file with semicolons, that leaves open what 1.234 means is refused with one
           sentence and nothing of it is read: taken the wrong way it is wrong a thousandfold, and a
           note under such a sum helps nobody
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from data.errors import EventError
from data.sources.decimal_marks import COMMA_IN_QUOTES, decimal_commas, with_point
from data.sources.files import LINE, LONGEST_LINE, NOT_UTF8, File, encodable
from data.sources.format import Entry

csv.field_size_limit(LONGEST_LINE)

SEPARATORS: Final = (",", "\t", ";", "|")
DECLARED_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n")  # as Excel writes and reads it
PROTECTED: Final = '="'
NO_CSV: Final = "the row is no CSV ({})"
Shorten = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written: by which its header and every row are read."""

    separator: str = ","
    names: tuple[str, ...] = ()
    doubled: bool = False  # every quote stands twice
    quoted: bool = False  # cells are quoted once more inside their quotes
    lead: int = 0  # lines before the header
    commas: dict[int, str] = field(default_factory=dict)  # columns with a decimal comma, by place

    @classmethod
    def of(cls, text: str) -> Layout:
        """The layout of a file that begins with this text; its numbers are not looked at."""
        match = DECLARED_SEPARATOR.match(text)
        start = text[match.end() :] if match else text
        separators = match[1] if match else _possible(start)
        found = [cls._with(separator, start) for separator in separators]
        best = max(found, key=lambda layout: len(layout.names))
        return replace(best, lead=1) if match else best

    @classmethod
    def _with(cls, separator: str, text: str) -> Layout:
        header = _first_line(text)
        doubled = '""' in header and re.search(_doubled(separator), header) is not None
        layout = cls(separator, doubled=doubled)
        try:
            names = [name.strip() for name in layout.cells(next(layout.reader(text), []), 0)]
        except csv.Error:
            return layout
        quoted = any(_is_quoted(name) for name in names)
        return replace(layout, names=tuple(map(_bare, names)), quoted=quoted)

    def with_numbers(self, text: str) -> Layout:
        """Knowing which columns have a decimal comma; raises `EventError` where that is open."""
        if self.separator == "," and not COMMA_IN_QUOTES.search(text):
            return self  # as mostly: no cell can have one
        return replace(self, commas=decimal_commas(self.names, self.separator, self._sample(text)))

    def _sample(self, text: str) -> Iterator[Sequence[str]]:
        """Whole rows near the beginning: the last may be cut off, and the first is the header."""
        whole = text[: text.rfind("\n") + 1] or text
        found = self.reader(whole.partition("\n")[2] if self.lead else whole)
        try:
            next(found, None)
            yield from (self.cells(cells, len(self.names)) for cells in found if cells)
        except csv.Error:
            return

    def reader(self, text: str | Iterator[str], shorten: Shorten | None = None) -> Any:
        """What parses lines, as the module `csv` does; shortened first, where they are plain."""
        source = (one[0] for one in LINE.finditer(text)) if isinstance(text, str) else text
        if shorten and not (self.doubled or self.quoted):
            source = map(shorten, source)
        undoubled = map(self._undoubled, source) if self.doubled else source
        return csv.reader(undoubled, delimiter=self.separator, strict=True)

    def _undoubled(self, line: str) -> str:
        ends = f"{_doubled(self.separator)}|{_doubled_end(self.separator)}"
        return re.sub(ends, '"', line.replace('""""', '""'))

    def cells(self, cells: list[str], width: int) -> list[str]:
        """The cells of a row: read from inside where they are wrapped, without what protects."""
        if len(cells) == 1 != width and self.separator in cells[0]:
            cells = next(csv.reader(cells, delimiter=self.separator, strict=True), [])
        if self.quoted or any(PROTECTED in cell for cell in cells):
            return [_bare(cell) for cell in cells]
        return cells


def _first_line(text: str) -> str:
    end = text.find("\n")
    return text if end < 0 else text[:end]


def _possible(text: str) -> list[str]:
    """What may separate the columns of a header: what is in it, else a comma."""
    header = _first_line(text)
    return [one for one in SEPARATORS if one == "," or one in header or '"' in header]


def _doubled(separator: str) -> str:
    """Two quotes that open a cell: something follows that is no end."""
    return rf'(?:(?<=^)|(?<=[{re.escape(separator)}]))""(?=[^"{re.escape(separator)}\r\n])'


def _doubled_end(separator: str) -> str:
    return rf'(?<=[^"{re.escape(separator)}])""(?=[{re.escape(separator)}\r\n]|$)'


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _bare(cell: str) -> str:
    """A cell without Excel's ="…" or another pair of quotes around it."""
    inner = cell[1:] if cell.startswith(PROTECTED) else cell
    return inner[1:-1].replace('""', '"') if _is_quoted(inner) else cell


def names_of(text: str) -> tuple[str, ...]:
    """The columns of a file that begins with this text."""
    return Layout.of(text).names


def rows(file: File, shorten: Shorten | None = None) -> Iterator[Entry]:
    """Rows as mappings from the header's names to text, each with its line. `shorten` takes out of
    a line what nobody reads, and leaves its cells as many as they were."""
    line = 1
    try:
        start = file.head_text()
        layout = Layout.of(start).with_numbers(start)
        lines = islice(file.lines(), layout.lead, None)
        reader = layout.reader(lines, shorten)
        next(reader, None)
        while True:
            line = reader.line_num + 1 + layout.lead
            if (row := _row(reader, layout)) is None:
                return
            if row:
                yield f"{file.name}:{line}", row
    except EventError as error:
        yield f"{file.name}:{line}", error
    except csv.Error as error:
        yield f"{file.name}:{line}", EventError(f"the header is no CSV ({error})")


def _row(reader: Any, layout: Layout) -> dict[str, str] | EventError | None:
    """The next row, why it is none, nothing for a blank line, None at the end."""
    try:
        return row_of(next(reader), layout)
    except StopIteration:
        return None
    except csv.Error as error:
        return EventError(NO_CSV.format(error))


def row_of(cells: list[str], layout: Layout) -> dict[str, str] | EventError:
    """The row of these cells, why it is none, nothing for a blank line."""
    names, joined = layout.names, "".join(cells)
    try:
        if len(cells) != len(names) or layout.quoted or PROTECTED in joined:
            cells = layout.cells(cells, len(names)) if cells else cells
    except csv.Error as error:
        return EventError(NO_CSV.format(error))
    if not cells:
        return {}
    if len(cells) != len(names):
        return EventError(f"the row has {len(cells)} cells, the header {len(names)}")
    if not (joined.isascii() or encodable(joined)):
        return EventError(NOT_UTF8)
    try:
        cells = with_point(cells, layout.commas) if layout.commas else cells
    except EventError as error:
        return error
    return dict(zip(names, cells, strict=True))
