"""The formats we read, one module each, found by looking into this package.

files → entries (rows, lines, list items) → a format's `convert` → records → `data.ingest`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from data.errors import EventError, SourceError
from data.sources import canonical
from data.sources.delimited import names_of
from data.sources.entries import DECODER, OPENING, line_values
from data.sources.files import File, as_text, files_in
from data.sources.format import Format, Head, Note, Options, Record, Watching, watched_records
from data.sources.lookalikes import refusal
from data.sources.mapping import lacking

__all__ = [
    "File",
    "Format",
    "Input",
    "Note",
    "Options",
    "Record",
    "billed_sources",
    "find",
    "formats",
    "head_of",
    "read",
]

AUTO = "auto"
LONGEST_HINT = 160
MOST_HELD = 16 * 1024 * 1024  # bytes of files that were looked at and will be read
EMPTY = "a file of {} tells of no use: nothing of it is counted"
FIRST_LINES = 5
UNKNOWN = "no known format (if its columns only have other names, map them to fields"


@dataclass(frozen=True, slots=True)
class Input:
    """A file and how to read it; without a format, `problem` says why not."""

    file: File
    format: Format | None
    problem: str = ""


@cache
def formats() -> dict[str, Format]:
    """Every format by name, in the order of the names."""
    found: list[Format] = []
    for info in pkgutil.walk_packages(__path__, f"{__name__}."):
        module = importlib.import_module(info.name)
        one = getattr(module, "FORMAT", None)
        found += getattr(module, "FORMATS", () if one is None else (one,))
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def billed_sources() -> frozenset[str]:
    """The sources whose usage rows are billed in rows of their own, too."""
    return frozenset(each.billed_source for each in formats().values() if each.billed_source)


def find(paths: Iterable[Path], name: str = AUTO, options: Options | None = None) -> list[Input]:
    """The files of these paths with their formats; `SourceError` if nothing could be read."""
    if name != AUTO and name not in formats():
        raise SourceError(f"{name[:60]!r} is no known format; {_known_formats()}")
    options = options or Options()
    renamed = [each.name for each in formats().values() if each.columns]
    if options.columns and name not in (AUTO, *renamed):
        raise SourceError(f"--map is for {' and '.join(renamed)} files; {name} has its own names")
    found = (file for path in paths for file in files_in(path))
    files = (replace(file, complete=options.complete) for file in found)
    inputs = list(_inputs(files, name, options))
    if not options.start:
        inputs = [_without_start(each) for each in inputs]
    if not any(each.format for each in inputs):
        raise SourceError(_nothing(inputs[0]) if inputs else "no input")
    return inputs


def _without_start(found: Input) -> Input:
    """As it is, or unreadable where only a first instant would place it in time."""
    if not (found.format and found.format.needs_start):
        return found
    label = found.format.label
    why = f"{label}: no dates in it, give its first instant with --start"
    return Input(found.file, None, why)


def _nothing(first: Input) -> str:
    hint = f"; {_known_formats()}" if first.problem.startswith(UNKNOWN) else ""
    return f"{first.file.name}: {first.problem}{hint}"


def read(inputs: Sequence[Input], options: Options) -> Iterator[Record]:
    """The records of all files, in order; a file that is none of ours is one rejected record."""
    watching: Watching = {}
    return chain.from_iterable(_records(each, options, watching) for each in inputs)


def _records(found: Input, options: Options, watching: Watching) -> Iterator[Record]:
    if found.format is None:
        return iter([(found.file.name, EventError(found.problem))])
    some = watched_records(found.format, found.file, options, watching)
    first = next(some, None)
    if first is None:  # nothing is silently nothing
        return iter([(found.file.name, Note(EMPTY.format(found.format.label)))])
    return chain([first], some)


def _inputs(files: Iterable[File], name: str, options: Options) -> Iterator[Input]:
    """Each file with its format; small ones keep their content, so that they are read once."""
    held = 0
    for file in files:
        found = _input(file.keeping_head(), name, options)
        held += found.file.held
        keep = found.file.held and held < MOST_HELD
        yield found if keep else Input(found.file.released(), found.format, found.problem)


def _input(file: File, name: str, options: Options) -> Input:
    try:
        if name != AUTO and not options.columns:
            file.begins()
            return Input(file, formats()[name])
        head = head_of(file)
        if not head.text.strip() and name == AUTO:
            return Input(file, None, "the file is empty")
        if options.columns:
            return _mapped(file, _with_first_line(file, head), options)
    except EventError as error:
        return Input(file, None, str(error))
    if name != AUTO:
        return Input(file, formats()[name])
    if problem := refusal(head):
        return Input(file, None, problem)
    if (found := _recognised(head)) is None:
        head = _with_first_line(file, head)
        found = _recognised(head)
    return Input(file, found, "" if found else _unknown(head))


def _recognised(head: Head) -> Format | None:
    return next((each for each in formats().values() if each.recognises(head)), None)


def _with_first_line(file: File, head: Head) -> Head:
    """The head of JSON lines of which the first is longer than a head: with the first object of the
    first lines that can be read."""
    if head.first or not head.text.startswith("{") or "\n" in head.text:
        return head
    lines = (value for _, value in islice(line_values(file), FIRST_LINES))
    first = next((value for value in lines if isinstance(value, dict)), None)
    return head if first is None else replace(head, first=first, columns=())


def _unknown(head: Head) -> str:
    """Why a file is of no format, with its columns where they are what could be mapped."""
    several = len(head.columns) > 1 and head.text.lstrip()[:1] not in "[{<"
    return UNKNOWN + (f": {', '.join(head.columns)[:LONGEST_HINT]})" if several else ")")


def _mapped(file: File, head: Head, options: Options) -> Input:
    """A file whose columns have names of their own; none where it lacks one of the map."""
    some = (each for each in formats().values() if each.columns and each.recognises(head))
    found = next(some, canonical.FORMAT)
    problem = lacking(options, found.columns(file, head) if found.columns else ())
    return Input(file, None if problem else found, problem)


def _known_formats() -> str:
    return f"known are {', '.join(formats())}"


def head_of(file: File) -> Head:
    """What recognisers look at; `EventError` if nothing of the file can be read."""
    start = file.head()
    text = as_text(start)
    first = _first(text)
    return Head(file.name, start, text, () if first else names_of(text), first)


def _first(text: str) -> dict[str, Any]:
    """The first object of a list or of lines, {} where the text does not begin with one."""
    opening = OPENING.match(text)
    start = text[opening.end() if opening else 0 :].lstrip()
    try:
        value, _ = DECODER.raw_decode(start)
    except (json.JSONDecodeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
