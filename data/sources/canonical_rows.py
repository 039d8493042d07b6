"""Our own events of a file of lines or of CSV, many rows at a time and column by column.

As `canonical.read` has them, but read by faster means: what these cannot be sure of (an odd number
of cells, a number that is longer than a float, text that is no UTF-8) is doubtful and read again as
one record. Lists, and CSV that is wrapped or has decimal commas, are read record by record.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events.table import FIELDS
from data.sources.canonical import DEFAULTS, NEEDED, convert
from data.sources.columns import Rows, by_field
from data.sources.delimited import NO_CSV, PROTECTED, Layout, row_of
from data.sources.entries import begins_json, is_list, line_values
from data.sources.files import File, encodable
from data.sources.format import Entry, Options, Record, records

KNOWN: Final = frozenset({*FIELDS, "cost"})
# Of nested tags: numbers that may have been longer than a float.
LONG: Final = re.compile(rb"\d[eE]|\d{15}")
Line = tuple[int, Any]  # where it begins, and a text, cells, or why it is neither


def batches(file: File, options: Options, most: int) -> Iterator[Rows]:
    """The rows of a file, at most so many at once; none where it must be read record by record."""
    try:
        start = file.head_text()
        if begins_json(start):
            made = _of_lines
            yield from () if is_list(start) else _batches(_lines(file), options, file, made, most)
            return
        layout = Layout.of(start).with_numbers(start)
    except EventError:
        return
    names = set(layout.names)
    plain = not (layout.quoted or layout.doubled or layout.commas)
    if plain and NEEDED <= names <= KNOWN and len(names) == len(layout.names):
        yield from _batches(_cells(file, layout), options, file, partial(_of_cells, layout), most)


def _batches(
    source: Iterator[Line], options: Options, file: File, made: Any, most: int
) -> Iterator[Rows]:
    while batch := list(islice(source, most)):
        values, doubts, entries = made(batch, file.name)

        def reread(places: Sequence[int], entries: Any = entries) -> Iterator[Record]:
            return records(entries(places), convert, options)

        rows = Rows(len(batch), values, reread, doubts, options, DEFAULTS)
        _ = rows.columns  # made here, while others wait for the engine
        yield rows


def _lines(file: File) -> Iterator[Line]:
    """The lines that are not blank; where the file breaks off, why."""
    number = 0
    try:
        for number, line in enumerate(file.lines(), start=1):
            if not line.isspace():
                yield number, line
    except EventError as error:
        yield number + 1, error


def _of_lines(batch: Sequence[Line], name: str) -> tuple[Any, set[int], Any]:
    raws = [_object(line) for _, line in batch]
    values, doubts = by_field(raws, KNOWN)
    if not set(map(type, values.get("tags", ()))) <= {str, type(None)}:
        values["tags"] = [_tags(n, value, doubts) for n, value in enumerate(values["tags"])]
    return values, doubts, partial(_line_entries, batch, name)


def _object(line: Any) -> dict[str, Any]:
    """The object of a line; an empty one where there is none, or perhaps none."""
    try:
        found = orjson.loads(line)
    except (orjson.JSONDecodeError, TypeError):
        return {}
    return found if type(found) is dict else {}


def _tags(place: int, value: Any, doubts: set[int]) -> Any:
    """Nested ones as the text that `convert` makes of them."""
    if type(value) not in (dict, list):
        return value
    text = orjson.dumps(value)
    if LONG.search(text):
        doubts.add(place)
    return text.decode()


def _line_entries(batch: Sequence[Line], name: str, places: Sequence[int]) -> Iterator[Entry]:
    for place in places:
        number, line = batch[place]
        where = f"{name}:{number}"
        if isinstance(line, EventError):
            yield where, line
            continue
        # After a blank line: a mark of the encoding is none within a file.
        body = f"\n{line}".encode(errors="surrogateescape")
        for _, value in line_values(File(name, body=body)):
            yield where, value


def _cells(file: File, layout: Layout) -> Iterator[Line]:
    """The rows that are not blank; where the file breaks off, why."""
    line = 1
    try:
        reader = layout.reader(islice(file.lines(), layout.lead, None))
        try:
            next(reader, None)
        except csv.Error:
            return
        while True:
            line = reader.line_num + 1 + layout.lead
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells = EventError(NO_CSV.format(error))
            if cells:
                yield line, cells
    except EventError as error:
        yield line, error


def _of_cells(layout: Layout, batch: Sequence[Line], name: str) -> tuple[Any, set[int], Any]:
    width = len(layout.names)
    blank, doubts, rows = [""] * width, set(), []
    for place, (_, cells) in enumerate(batch):
        if type(cells) is list and len(cells) == width and _is_plain("".join(cells)):
            rows.append(cells)
        else:
            doubts.add(place)
            rows.append(blank)
    values = dict(zip(layout.names, map(_or_none, zip(*rows, strict=True)), strict=True))
    return values, doubts, partial(_cell_entries, layout, batch, name)


def _is_plain(joined: str) -> bool:
    return PROTECTED not in joined and (joined.isascii() or encodable(joined))


def _or_none(column: Sequence[str]) -> Sequence[str | None]:
    """A column without any text is none."""
    return column if any(column) else [None] * len(column)


def _cell_entries(
    layout: Layout, batch: Sequence[Line], name: str, places: Sequence[int]
) -> Iterator[Entry]:
    for place in places:
        number, cells = batch[place]
        entry = cells if isinstance(cells, EventError) else row_of(cells, layout)
        yield f"{name}:{number}", entry
