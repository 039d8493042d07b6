"""Pages of buckets of results, the shape in which vendors' admin APIs answer.

One page, one page a line, a list of pages, or an object of pages (a script's `{"costs": …}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.format import Entry, Head

RESULTS: Final = "results"
DEEPEST: Final = 4
BEGINNING: Final = 2_000
Row = Mapping[str, Any]


def rows_of(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The result rows of pages, in `results` beside their bucket's own fields."""
    for where, value in entries:
        for number, row in enumerate(_rows(value, 0), start=1):
            yield f"{where}#{number}", row


def _rows(value: Any, depth: int) -> Iterator[Any]:
    """Pages hold `data`, buckets hold `results`; lists and objects of pages are fine too."""
    if isinstance(value, EventError):
        yield value
    elif depth > DEEPEST or not isinstance(value, Mapping | list) or not value:
        yield EventError("this is no page of buckets that hold results")
    elif isinstance(value, Mapping) and isinstance(value.get(RESULTS), list):
        yield from (dict(value) | {RESULTS: each} for each in value[RESULTS])
    else:
        for each in _inner(value):
            yield from _rows(each, depth + 1)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    inner = value.get("data")
    if isinstance(inner, list):
        return inner
    if all(isinstance(each, Mapping) and "data" in each for each in value.values()):
        return list(value.values())
    return [EventError("this is no page of buckets that hold results")]


def begins(head: Head, *names: str) -> bool:
    """Whether a JSON file has all these field names near its beginning."""
    start = head.text[:BEGINNING]
    found = (re.search(rf'"{name}"\s*:', start) for name in names)
    return start.lstrip()[:1] in ("{", "[") and all(found)


def result(row: Row) -> Row:
    found = row[RESULTS]
    if not isinstance(found, Mapping):
        raise EventError("a result is an object with fields")
    return found
