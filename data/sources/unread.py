"""Columns and keys that could hold tokens, money or counts and that no reader asks for.

Of each set of keys the first entry that comes to something is handed to its reader as a mapping
that remembers what it is asked for (`watched.py`); all others pass as they are. What the reader of
a whole file never asked for, though its name says that it matters and a number other than 0 stands
there, is told at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import translate
from functools import cache, lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

from data.sources.watched import CONTENT, object_in, watched

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
MOST_SHAPES: Final = 2_000
MOST_TRIES: Final = 1_000  # of one shape, until something comes of an entry
ALL_OF: Final = 40  # entries of a file; of the others, one of ONE_OF
ONE_OF: Final = 32
MOST_QUIET: Final = 500  # entries without a new shape, in all files; then, of the first of a file,
ONE_OF_KNOWN: Final = 4  # one of so many
MOST_PATHS: Final = 50
LONGEST_NUMBER: Final = 60  # characters
DEEPEST: Final = 6
HOLDING: Final = (dict, list, str)
NUMBERS: Final = count()  # of sets of keys, each where it stands
Shape = tuple[int, ...]
Nested = tuple[str, "Inside"]


class Place(NamedTuple):
    """Where in an entry a value stands: its path, the names of what it is in, its own."""

    path: str
    above: tuple[str, ...]
    name: str


@dataclass(slots=True)
class ShapeStatus:
    """What is known of the entries of one shape."""

    blank: list[Place] | None = None  # what matters and was empty so far; None: not looked at yet
    columns: tuple[str, ...] = ()  # the outermost names among them
    fruitless: int = 0  # entries with something there of which nothing came
    asked: int = 0  # how many paths had been asked for when `blank` was last compared with them
    file: int = 0  # the last in which one was handed over watched,
    tries: int = 0  # and how many were there


class Inside(dict[tuple[Any, ...], "tuple[int, tuple[Nested, ...]]"]):
    """By the keys of an object and the types of its values: a number for these keys, and which can
    hold objects. Not those that are all content, too deep or ignored."""

    def __init__(
        self, is_ignored: Callable[[str], object], above: str = "", depth: int = 0
    ) -> None:
        self._is_ignored, self._above, self._depth = is_ignored, above, depth
        self._numbers: dict[tuple[str, ...], int] = {}
        self._named: dict[str, Inside | None] = {}

    def __missing__(self, form: tuple[Any, ...]) -> tuple[int, tuple[Nested, ...]]:
        if len(self) == MOST_SHAPES:
            self.clear()
            self._numbers.clear()
        names, types = form
        number = self._numbers.setdefault(names, next(NUMBERS))
        kinds = dict(zip(names, types, strict=True))
        holders = ((name, self._inside(name)) for name in names if kinds[name] in HOLDING)
        nested = tuple((name, inside) for name, inside in holders if inside is not None)
        self[form] = number, nested
        return self[form]

    def _inside(self, name: str) -> Inside | None:
        if name not in self._named:
            path = f"{self._above}{name}."
            hidden = name in CONTENT or self._depth == DEEPEST or self._is_ignored(path)
            self._named[name] = None if hidden else Inside(self._is_ignored, path, self._depth + 1)
        return self._named[name]


class Watch:
    """What the entries of one file hold beside what their reader asks for; of further files, too,
    as long as nothing is left: shapes that were asked for once need no asking in each of them.
    Paths that match a pattern of `ignored` are never left."""

    def __init__(self, ignored: Iterable[str] = ()) -> None:
        self.asked: set[str] = set()
        self._is_ignored = _either(tuple(ignored)).match
        self._inside = Inside(self._is_ignored)
        self._shapes: dict[Shape, ShapeStatus] = {}
        self._holding: dict[str, None] = {}
        self._status = ShapeStatus()
        self.looking = False  # at the entry that was handed over last
        self._known: dict[tuple[str, ...], ShapeStatus] = {}  # by the outermost keys
        self._entries = self._file = self._tried = 0
        self._quiet = 0  # entries that were looked at since the last new shape
        self._one_of = 1  # of the first entries of a file one is looked at

    def begin_file(self) -> None:
        """Look at the first entries of a file again, by what is known of their shapes."""
        self._known.clear()
        self._entries = self._tried = 0
        self._file += 1
        if len(self._shapes) > MOST_SHAPES:
            self._shapes.clear()

    def over(self, entry: Any) -> Any:
        """The entry, watched if none that came to something had its keys before; in a long file, or
        after many entries without a new shape, not every one is looked at, unless its outermost
        keys are new in the file, or something stands where so far nothing did."""
        self._entries += 1
        self.looking = False
        if type(entry) is not dict or not entry:
            return entry
        keys = tuple(entry)
        if (status := self._known.get(keys)) is not None:
            one_of = ONE_OF if self._entries > ALL_OF else self._one_of
            if self._entries % one_of and not (status.columns and _fills(entry, status)):
                return entry
        entry_to_read = self._look(entry)
        self._known[keys] = self._status
        return entry_to_read

    def _look(self, entry: dict[str, Any]) -> Any:
        numbers: list[int] = []
        _add_shape(entry, self._inside, numbers)
        shape = tuple(numbers)
        if (status := self._shapes.get(shape)) is None:
            status = self._shapes[shape] = ShapeStatus()
            self._quiet, self._one_of = 0, 1
        self._quiet += 1
        if self._quiet > MOST_QUIET:
            self._one_of = ONE_OF_KNOWN
        self._status, self.looking = status, True
        return entry if status.blank is not None else self._tried_once_more(status, entry)

    def _tried_once_more(self, status: ShapeStatus, entry: dict[str, Any]) -> Any:
        """The entry, watched unless too many like it, or too many shapes, came to nothing."""
        if status.file != self._file:
            status.file, status.tries = self._file, 0
            self._tried += 1
        if self._tried > MOST_SHAPES or status.tries == MOST_TRIES:
            return entry
        status.tries += 1
        return watched(entry, "", self.asked)

    def settle(self, entry: Any, counts: bool = True) -> None:
        """Look at the entry that was handed over, unless nothing came of it."""
        status = self._status
        if not self.looking or not counts or status.blank == []:
            status.fruitless += not counts
            return
        if status.blank is None:
            status.blank = [one for one in _places(entry, (), 0) if not self._is_ignored(one.path)]
        if status.asked != len(self.asked):
            status.asked = len(self.asked)
            status.blank = [one for one in status.blank if one.path not in self.asked]
        if found := _holding(entry, status.blank):
            self._holding |= dict.fromkeys(one.path for one in found)
            status.blank = [one for one in status.blank if one.path not in self._holding]
        status.columns = tuple(one.name for one in status.blank if not one.above)

    def unread(self) -> list[str]:
        """The paths that hold something and were never asked for."""
        return [path for path in self._holding if path not in self.asked][:MOST_PATHS]


@cache
def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these patterns of file names; of none, nothing."""
    return re.compile("|".join(map(translate, patterns)) or "(?!)")


def _add_shape(entry: dict[str, Any], inside: Inside, found: list[int]) -> None:
    """The numbers of the keys of an entry, then of those of what is nested in it."""
    number, nested = inside[tuple(entry), tuple(map(type, entry.values()))]
    found.append(number)
    for name, deeper in nested:
        value = entry[name]
        if type(value) is list:
            value = value[0] if value else None
        if type(value) is str and "{" <= value < "|":  # begins with a brace: an object, perhaps
            value = object_in(name, value)
        if type(value) is dict:
            _add_shape(value, deeper, found)


def _places(value: Any, above: tuple[str, ...], depth: int) -> Iterator[Place]:
    """Where in a value something stands under a name that matters."""
    value = _first(value)
    if type(value) is dict and depth <= DEEPEST:
        for name, each in value.items():
            if name in CONTENT:
                continue
            inner = object_in(name, _first(each))
            if type(inner) is dict:
                yield from _places(inner, (*above, name), depth + 1)
            elif matters(name):
                yield Place(".".join((*above, name)), above, name)


def _first(value: Any) -> Any:
    """The first of a list, the value where it is none."""
    while type(value) is list:
        value = value[0] if value else None
    return value


@lru_cache(8_192)
def matters(name: str) -> bool:
    """Whether a name speaks of tokens, money or counts that were used."""
    return MATTERS.search(name) is not None and OTHERWISE.search(name) is None


def _holding(entry: dict[str, Any], places: Iterable[Place]) -> list[Place]:
    """The places in which something stands."""
    found: list[Place] = []
    holder: Any = entry
    last: tuple[str, ...] = ()
    for one in places:
        if one.above is not last:  # those of one object come together
            last, holder = one.above, entry
            for name in last:
                holder = object_in(name, _first(holder.get(name))) if type(holder) is dict else None
        value = holder.get(one.name) if type(holder) is dict else None
        if value and is_something(_first(value)):
            found.append(one)
    return found


def _fills(entry: dict[str, Any], status: ShapeStatus) -> bool:
    """Whether something stands in a column that was empty in all entries like it."""
    if status.fruitless > MOST_TRIES:
        return False
    return any((value := entry[name]) and is_something(value) for name in status.columns)


def is_something(value: Any) -> bool:
    """Whether this is a number other than 0."""
    if type(value) is str:
        return _is_number(value[:LONGEST_NUMBER])
    if isinstance(value, int):
        return value is not True and value != 0
    return isinstance(value, float | Decimal | str) and _is_number(str(value))


@lru_cache(8_192)
def _is_number(spelled: str) -> bool:
    try:
        number = Decimal(spelled.strip().lstrip("$").replace(",", "")[:40] or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number != 0
