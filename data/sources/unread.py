"""Columns and keys that could hold tokens, money or counts and that no reader asks for.

Of each set of keys the first entry that comes to something is handed to its reader as a mapping
that remembers what it is asked for; all others pass as they are. What the reader of a whole file
never asked for, though its name says that it matters and a number other than 0 stands there, is
told at the end. An object that is a text, as in a cell of a table, is looked into likewise. A
reader that goes through all of a mapping has asked for all of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import orjson

MATTERS: Final = re.compile(
    r"token|cost|price|usage|credit|request|quantity|amount|spend|cents|usd|charge|premium"
    r"|cache|reasoning|thought|^(?:in|out)put$",
    re.IGNORECASE,
)
# Names of what is asked for, allowed or measured in other ways.
OTHERWISE: Final = re.compile(
    r"ids?$|_?at$|time|date|duration|latency|_ms$|max|min_|limit|per_|rate|budget|remaining|type"
    r"|threshold|length|bytes|count_?down|reset|window|index|total_?token|secret|unit",
    re.IGNORECASE,
)
# What was said: keys below these are anybody's.
CONTENT: Final = frozenset({
    "content", "messages", "text", "prompt", "completion", "arguments", "args", "parameters",
    "toolUseResult", "tool_input", "functionCall", "functionResponse", "inputBodyJson",
    "outputBodyJson", "instructions", "tools", "schema", "headers",
})  # fmt: skip
# Cells that hold what was said, as text.
SAID: Final = frozenset({"input", "output", "request", "response", "body", "proxy_server_request"})
LONGEST_TEXT: Final = 20_000  # characters; a longer one is content
MOST_SHAPES: Final = 2_000
MOST_TRIES: Final = 1_000  # of one shape, until something comes of an entry
ALL_OF: Final = 40  # entries of a file; of the others, one of ONE_OF
ONE_OF: Final = 32
MOST_PATHS: Final = 50
DEEPEST: Final = 6
Shape = tuple[Any, ...]


class Watch:
    """What the entries of one file hold beside what their reader asks for; of further files, too,
    as long as nothing is left: shapes that were asked for once need no asking in each of them."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._blank: dict[Shape, list[str]] = {}  # of each shape, what matters and was empty so far
        self._tries: Counter[Shape] = Counter()
        self._holding: dict[str, None] = {}
        self._shape: Shape = ()
        self.looking = False  # at the entry that was handed over last
        self._known: set[Shape] = set()  # the outermost keys
        self._entries = 0

    def begin_file(self) -> None:
        """Look at the first entries of a file again, by what is known of their shapes."""
        self._known.clear()
        self._tries.clear()
        self._entries = 0
        if len(self._blank) > MOST_SHAPES:
            self._blank.clear()

    def over(self, entry: Any) -> Any:
        """The entry, watched if none that came to something had its keys before; in a long file not
        every one is looked at, unless its outermost keys are new."""
        self._entries += 1
        self.looking = False
        if type(entry) is not dict or not entry:
            return entry
        keys = tuple(entry)
        if keys in self._known and self._entries > ALL_OF and self._entries % ONE_OF:
            return entry
        self._known.add(keys)
        return self._look(entry)

    def _look(self, entry: dict[str, Any]) -> Any:
        self._shape, self.looking = _shape(entry, 0), True
        if self._shape in self._blank or self._tries[self._shape] == MOST_TRIES:
            return entry
        if len(self._tries) < MOST_SHAPES:
            self._tries[self._shape] += 1
            return _watched(entry, "", self.asked)
        return entry

    def settle(self, entry: Any, counts: bool = True) -> None:
        """Look at the entry that was handed over, unless nothing came of it."""
        if not self.looking or not counts:
            return
        blank = self._blank.get(self._shape)
        if blank == []:
            return
        numbers = _numbers(entry, "", 0) if blank is None else _looked_up(entry, blank)
        self._blank[self._shape] = [path for path, value in numbers if not self._holds(path, value)]

    def _holds(self, path: str, value: Any) -> bool:
        """Whether a path needs no more looking at: it was asked for, or holds something."""
        if path in self.asked:
            return True
        found = is_something(value)
        if found:
            self._holding.setdefault(path)
        return found

    def unread(self) -> list[str]:
        """The paths that hold something and were never asked for."""
        return [path for path in self._holding if path not in self.asked][:MOST_PATHS]


class Watched(dict[str, Any]):
    """A mapping that remembers which of its keys were asked for."""

    __slots__ = ("_above", "_asked")

    def __init__(self, values: Mapping[str, Any], above: str, asked: set[str]) -> None:
        super().__init__(values)
        self._above, self._asked = above, asked

    def __getitem__(self, name: str) -> Any:
        self._asked.add(f"{self._above}{name}")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._asked.add(f"{self._above}{name}")
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        self._ask_all()
        return super().__iter__()

    def keys(self) -> Any:
        self._ask_all()
        return super().keys()

    def values(self) -> Any:
        self._ask_all()
        return super().values()

    def items(self) -> Any:
        self._ask_all()
        return super().items()

    def __or__(self, other: Any) -> Any:
        self._ask_all()
        return super().__or__(other)

    def __ror__(self, other: Any) -> Any:
        self._ask_all()
        return super().__ror__(other)

    def _ask_all(self) -> None:
        self._asked.update(f"{self._above}{name}" for name in dict.keys(self))


class WatchedText(str):
    """The text of an object, which remembers what is asked for of it once it is read."""

    __slots__ = ("above", "asked")
    above: str
    asked: set[str]

    def opened(self, value: Any) -> Any:
        """The object that was read out of it."""
        return _watched(value, self.above, self.asked)


def unwatched(row: Mapping[str, Any]) -> Any:
    """The items of a row for who looks at their names alone: that asks for nothing."""
    return dict.items(row) if isinstance(row, dict) else row.items()


def _shape(entry: dict[str, Any], depth: int) -> Shape:
    """The keys of an entry, with those of what is nested in it."""
    found: list[Any] = []
    for name, value in entry.items():
        inner = _inside(name, value[0] if type(value) is list and value else value)
        if type(inner) is dict and depth < DEEPEST and name not in CONTENT:
            found.append((name, _shape(inner, depth + 1)))
        else:
            found.append(name)
    return tuple(found)


def _watched(value: Any, above: str, asked: set[str]) -> Any:
    if type(value) is list:
        return [_watched(each, above, asked) for each in value]
    if type(value) is not dict:
        return value
    inner = {name: each if name in CONTENT else _watched_item(name, each, above, asked)
             for name, each in value.items()}  # fmt: skip
    return Watched(inner, above, asked)


def _watched_item(name: str, value: Any, above: str, asked: set[str]) -> Any:
    if type(value) is str and _inside(name, value) is not value:
        text = WatchedText(value)
        text.above, text.asked = f"{above}{name}.", asked
        return text
    return _watched(value, f"{above}{name}.", asked)


def _inside(name: str, value: Any) -> Any:
    """The object that a text is, unless it is what was said; anything else as it is."""
    if type(value) is not str or value[:1] != "{" or name in SAID or len(value) > LONGEST_TEXT:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _numbers(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """What is nested in a value under names that matter."""
    if type(value) is list:
        for each in value[:1]:
            yield from _numbers(each, path, depth)
    elif type(value) is dict and depth <= DEEPEST:
        for name, each in value.items():
            if name not in CONTENT:
                inner = _inside(name, each)
                yield from _numbers(inner, f"{path}.{name}" if path else name, depth + 1)
    elif path and matters(path.rpartition(".")[2]):
        yield path, value


@lru_cache(8_192)
def matters(name: str) -> bool:
    """Whether a name speaks of tokens, money or counts that were used."""
    return MATTERS.search(name) is not None and OTHERWISE.search(name) is None


def _looked_up(entry: dict[str, Any], paths: list[str]) -> Iterator[tuple[str, Any]]:
    for path in paths:
        value: Any = entry
        for name in path.split("."):
            value = value[0] if type(value) is list and value else value
            value = _inside(name, value.get(name)) if type(value) is dict else None
        yield path, value


def is_something(value: Any) -> bool:
    """Whether this is a number other than 0."""
    if isinstance(value, int):
        return value is not True and value != 0
    if not value or not isinstance(value, float | Decimal | str):
        return False
    try:
        number = Decimal(str(value).strip().lstrip("$").replace(",", "")[:40] or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number != 0
