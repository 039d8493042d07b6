"""What a format is: a name, how its files look, and how they become records.

A format is one module of this package with `FORMAT` (or `FORMATS`); the registry finds it.
`records` is the loop they share: whatever goes wrong with one entry rejects that entry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.errors import EventError
from data.sources.files import File

Raw = dict[str, Any]  # fields of the canonical event, not cleaned yet
Record = tuple[str, Raw | EventError]  # ("file:line", an event or why it is none)
Entry = tuple[str, Any]  # ("file:line", a row or value as the file has it, or an EventError)


@dataclass(frozen=True, slots=True)
class Options:
    """What a file cannot say: whose it is, and the first instant (aware) of mere offsets."""

    user: str | None = None
    project: str | None = None
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file: its CSV columns and its first JSON object, empty if it has none."""

    name: str
    text: str
    columns: tuple[str, ...]
    first: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """`recognises` looks at a head alone; `read` streams a file and raises for no single entry."""

    name: str
    label: str
    recognises: Callable[[Head], bool]
    read: Callable[[File, Options], Iterator[Record]]
    needs_start: bool = False


def records(
    entries: Iterable[Entry], convert: Callable[[str, Any], Iterable[Raw]], options: Options
) -> Iterator[Record]:
    """The events of each entry; `convert(where, entry)` may raise anything."""
    for where, entry in entries:
        try:
            for raw in convert(where, _mapping(entry)):
                yield where, _owned(raw, options)
        except EventError as error:
            yield where, error
        except Exception as error:
            yield where, EventError(f"this is no record of the format ({said(error)})")


def _mapping(entry: Any) -> Any:
    if isinstance(entry, EventError):
        raise entry
    if not isinstance(entry, Mapping):
        raise EventError(f"a record is an object with fields, not {type(entry).__name__}")
    return entry


def _owned(raw: Raw, options: Options) -> Raw:
    """Whose it is, as given at import, where the source is silent."""
    for name, given in (("user", options.user), ("project", options.project)):
        if given and not raw.get(name):
            raw[name] = given
    return raw


def said(error: Exception) -> str:
    """An unexpected error in few words."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"{type(error).__name__}: {error}"[:160]
