"""Paths into JSON objects: `input.inputTokenCount` goes into an object, `data.items[].when` through
a list, each item of which is a record.

A name with dots in it goes before a path of the same spelling; a text that holds an object, as in
a cell, is gone into as well. What a record does not have is looked up in the objects that hold its
list, the nearest first. Where no path goes through a list and an object has none of the names, the
first list inside it whose items do is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from data.errors import EventError, Refused
from data.sources.entries import DECODER
from data.sources.format import Entry

THROUGH: Final = "[]"
DEEPEST: Final = 5
MISSING: Final = object()
Object = Mapping[str, Any]


def lookup(row: Object, path: str) -> Any:
    """The value at a path, `MISSING` where there is none."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = _opened(value) if isinstance(value, str) else value
        if not isinstance(value, Mapping) or name not in value:
            return MISSING
        value = value[name]
    return value


def _opened(text: str) -> Any:
    """The object that a text holds, or the text."""
    try:
        return DECODER.decode(text) if text.lstrip()[:1] == "{" else text
    except (ValueError, RecursionError):
        return text


def is_in(path: str, names: Collection[str]) -> bool:
    """Whether a path leads somewhere among these names, as far as they tell what is inside."""
    first = path.partition(".")[0]
    opaque = first in names and not any(name.startswith(f"{first}.") for name in names)
    return path in names or opaque


def lists_in(paths: Iterable[str]) -> list[str]:
    """The lists that these paths go through, the outermost first; `Refused` where they part."""
    prefixes = {path.rpartition(THROUGH)[0] for path in paths}
    longest = max(prefixes, key=len, default="")
    for prefix in prefixes:
        if not f"{longest}{THROUGH}".startswith(f"{prefix}{THROUGH}") and prefix:
            raise Refused("map", f"--map goes through two lists, {prefix}[] and {longest}[]")
    return [name.strip(".") for name in longest.split(THROUGH)] if longest else []


def inside(path: str) -> str:
    """A path as it goes on in the items of its list."""
    return path.rpartition(THROUGH)[2].lstrip(".")


def unfolded(
    entries: Iterable[Entry], lists: Sequence[str], paths: Collection[str]
) -> Iterator[Entry]:
    """The records in these values: those of the lists, with what they need of what holds them."""
    for where, value in entries:
        if not isinstance(value, Mapping):
            yield where, value
            continue
        several = list_records(value, lists, paths)
        if several is None:
            yield where, value
        else:
            yield from ((f"{where}#{n}", row) for n, row in enumerate(several, start=1))


def list_records(
    value: Object, lists: Sequence[str], paths: Collection[str]
) -> Iterator[Any] | None:
    """The records of a value's lists; None where it is a record itself."""
    if lists:
        return _through([value], list(lists), paths)
    if any(lookup(value, path) is not MISSING for path in paths):
        return None
    found = _list_with(value, paths, [value])
    return None if found is None else (_completed(item, found[1], paths) for item in found[0])


def _through(holders: list[Object], lists: list[str], paths: Collection[str]) -> Iterator[Any]:
    found = lookup(holders[-1], lists[0])
    if not isinstance(found, list):
        yield EventError(f"there is no list {lists[0]!r} here")
        return
    for item in found:
        if len(lists) == 1 or not isinstance(item, Mapping):
            yield _completed(item, holders, paths)
        else:
            yield from _through([*holders, item], lists[1:], paths)


def _completed(item: Any, holders: Sequence[Object], paths: Collection[str]) -> Any:
    """An item with what the paths find in its holders and not in itself."""
    if not isinstance(item, Mapping):
        return item
    row = dict(item)
    for path in paths:
        if lookup(item, path) is MISSING:
            outer = (lookup(holder, path) for holder in reversed(holders))
            value = next((each for each in outer if each is not MISSING), MISSING)
            if value is not MISSING and not isinstance(value, list | dict):
                row[path] = value
    return row


def _list_with(
    value: Object, paths: Collection[str], holders: list[Object]
) -> tuple[list[Any], list[Object]] | None:
    """The first list inside whose first item has one of the paths, and the objects around it."""
    for inner in value.values():
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            if any(lookup(inner[0], path) is not MISSING for path in paths):
                return inner, holders
        elif isinstance(inner, Mapping) and len(holders) < DEEPEST:
            found = _list_with(inner, paths, [*holders, inner])
            if found:
                return found
    return None


def names_in(value: Any, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """All names and paths in a value, those of lists as their items have them."""
    if isinstance(value, list):
        yield from names_in(value[0], "", depth) if value else ()
    elif isinstance(value, Mapping) and depth < DEEPEST:
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from names_in(inner, f"{prefix}{name}.", depth + 1)
