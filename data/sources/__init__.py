"""The formats we read, one module each, found by looking into this package.

files → entries (rows, lines, list items) → a format's `convert` → records → `data.ingest`.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from data.errors import EventError, SourceError
from data.sources.entries import DECODER
from data.sources.files import File, files_in
from data.sources.format import Format, Head, Options, Record
from data.sources.lists import OPENING

__all__ = ["File", "Format", "Input", "Options", "Record", "find", "formats", "head_of", "read"]

AUTO = "auto"


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
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        one = getattr(module, "FORMAT", None)
        found += getattr(module, "FORMATS", () if one is None else (one,))
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def find(paths: Iterable[Path], name: str = AUTO, options: Options | None = None) -> list[Input]:
    """The files of these paths with their formats; `SourceError` if nothing could be read."""
    if name != AUTO and name not in formats():
        raise SourceError(f"{name[:60]!r} is no known format; {_known()}")
    inputs = [_input(file, name) for path in paths for file in files_in(path)]
    usable = [each.format for each in inputs if each.format]
    if not usable:
        raise SourceError(inputs[0].file.name + ": " + inputs[0].problem if inputs else "no input")
    late = next((each for each in usable if each.needs_start), None)
    if late and not (options and options.start):
        raise SourceError(
            f"{late.label} tells times only as offsets: give its first instant with --start"
        )
    return inputs


def read(inputs: Sequence[Input], options: Options) -> Iterator[Record]:
    """The records of all files, in order; a file that is none of ours is one rejected record."""
    return chain.from_iterable(_records(each, options) for each in inputs)


def _records(found: Input, options: Options) -> Iterator[Record]:
    if found.format is None:
        return iter([(found.file.name, EventError(found.problem))])
    return found.format.read(found.file, options)


def _input(file: File, name: str) -> Input:
    try:
        head = head_of(file)
    except EventError as error:
        return Input(file, None, str(error))
    if name != AUTO:
        return Input(file, formats()[name])
    if not head.text.strip():
        return Input(file, None, "the file is empty")
    found = next((each for each in formats().values() if each.recognises(head)), None)
    return Input(file, found, "" if found else f"no known format; {_known()}")


def _known() -> str:
    return f"known are {', '.join(formats())}"


def head_of(file: File) -> Head:
    """What recognisers look at; `EventError` if nothing of the file can be read."""
    text = file.head()
    first = _first(text)
    return Head(file.name, text, () if first else _columns(text), first)


def _columns(text: str) -> tuple[str, ...]:
    line = io.StringIO(text, newline="").readline()
    try:
        return tuple(name.strip() for name in next(csv.reader([line]), []))
    except csv.Error:
        return ()


def _first(text: str) -> dict[str, Any]:
    """The first object of a list or of lines, {} where the text does not begin with one."""
    opening = OPENING.match(text)
    start = text[opening.end() if opening else 0 :].lstrip()
    try:
        value, _ = DECODER.raw_decode(start)
    except (json.JSONDecodeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
