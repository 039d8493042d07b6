"""A grouping answered from sums, and from the events that no sums hold for.

```
parts    rows of sums, of whole quarters of an hour that are not outdated
         UNION ALL the other events of the window, each as a row of one
  ↓ GROUP BY the numbers of keys, times
groups   numbers a group
  ↓ JOIN names
answer   as the same question over the events, to the last digit
```

The condition (scope, filters) is one expression over events. On rows of sums each part of it that
reads one key becomes the numbers of the values that meet it. What sums cannot say is asked of the
events and joined to the groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList
from sqlalchemy.sql.elements import Grouping as Parentheses

from data.access.people import People
from data.dialect import Expression, Latest
from data.engines.grouping import Grouping
from data.engines.partials import (
    KEY_OF,
    KEYS,
    QUARTER,
    TIME,
    Leaf,
    Undecomposable,
    columns,
    decomposed,
    key_of,
    spelled,
    when,
)
from data.events.table import EVENTS

# More stretches than this are joined to longer ones, read from the events as a whole.
MOST_STRETCHES: Final = 40
# More numbers of one condition than this are left to the engine to find.
MOST_NUMBERS: Final = 200
Stretch = tuple[int, int]  # µs UTC, [from, to)
SEQUENCE: Final[Expression] = sa.literal_column("events.sequence", sa.BigInteger)
SUMS: Final = sa.table("sums", sa.column("ts", sa.BigInteger), *(sa.column(key) for key in KEYS))
NAMES: Final = {
    key: sa.table(f"names_{key}", sa.column("id"), *(sa.column(name) for name in names))
    for key, names in KEYS.items()
}
# The numbers of the values of a key that meet a condition; None: too many to list.
# A condition as text, whose ids it merges, and as a statement.
Numbers = Callable[[str, People, sa.Select[Any]], Sequence[int] | None]
Function = tuple[str, str]  # of the values of a key: the key, and the function as text


@dataclass(frozen=True)
class Summed:
    """What sums hold for: events stored up to `upto`, in the `whole` stretches of a window.

    `rest`: there are events in that window beside them. `unique` are the keys of which no value
    has two names.
    """

    upto: int
    whole: list[Stretch]
    unique: frozenset[str] = frozenset()
    rest: bool = True


def stretches(window: Stretch, outdated: Sequence[int]) -> list[Stretch]:
    """The whole quarters of an hour of a window, without outdated ones (in order)."""
    at, end = -(-window[0] // QUARTER) * QUARTER, window[1] // QUARTER * QUARTER
    found = []
    for first, last in _gaps(outdated):
        if at < min(first, end):
            found.append((at, min(first, end)))
        at = max(at, last)
    return [*found, (at, end)] if at < end else found


def joined(quarters: Iterable[int]) -> list[Stretch]:
    """Quarters of an hour, in order, as stretches."""
    found: list[Stretch] = []
    for quarter in quarters:
        if found and found[-1][1] == quarter:
            found[-1] = (found[-1][0], quarter + QUARTER)
        else:
            found.append((quarter, quarter + QUARTER))
    return found


def _gaps(outdated: Sequence[int]) -> list[Stretch]:
    """Outdated stretches; the nearest of many joined."""
    gaps = joined(outdated)
    while len(gaps) > MOST_STRETCHES:
        pairs = zip_longest(gaps[::2], gaps[1::2])
        gaps = [(first[0], (last or first)[1]) for first, last in pairs]
    return gaps


def rest_of(window: Stretch, whole: Sequence[Stretch]) -> list[Stretch]:
    """What of a window lies in none of these stretches."""
    ends = [window[0], *(moment for one in whole for moment in one), window[1]]
    return [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if a < b]


def narrows(condition: Expression) -> bool:
    """Whether it may leave few events of a window: it asks for more than kinds of events."""
    return not columns(condition) <= {*TIME, "kind"}


class _Parts:
    """The columns of rows of sums and of single events, side by side."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.of_sums: list[Expression] = []
        self.of_events: list[Expression] = []

    def add(self, what: str, of_sums: Expression, of_event: Expression) -> Expression:
        """The column for something, added once."""
        if what not in self._names:
            self._names[what] = name = f"c{len(self._names)}"
            self.of_sums.append(of_sums.label(name))
            self.of_events.append(of_event.label(name))
        return sa.literal_column(f"parts.{self._names[what]}")


class SummedQuestion:
    """One question, being put together; raises `Undecomposable` if it is not for sums to answer."""

    def __init__(
        self, asked: Grouping, summed: Summed, partials: Mapping[str, str], numbers: Numbers
    ) -> None:
        """`partials` are the columns of sums by name."""
        self._asked, self._partials, self._numbers = asked, partials, numbers
        self._summed = summed
        if not summed.whole or not asked.by_quarter_hour:
            raise Undecomposable
        self._parts = _Parts()
        self._functions: dict[str, dict[str, Expression]] = {}  # of keys, by key and as text
        self._numbered: set[str] = set()  # keys that are read by number
        self._aggregates: dict[str, tuple[str, Expression]] = {}
        self._decoded: dict[str, Function] = {}  # aggregates that are codes
        self._all: dict[str, sa.FromClause] = {}
        self._codes: dict[str, sa.CTE] = {}
        self._where = self._of_sums(asked.where)
        self._keys = [self._key(asked.people.read(key)) for key in asked.keys.values()]
        self._values = self._sayable(asked)
        if not self._values:
            raise Undecomposable

    def _sayable(self, asked: Grouping) -> dict[str, Expression]:
        read = {name: asked.people.read(value) for name, value in asked.values.items()}
        return {
            name: decomposed(value, self._aggregate)
            for name, value in read.items()
            if self._says(value)
        }

    def _says(self, value: Expression) -> bool:
        try:
            decomposed(value, self._check)
        except Undecomposable:
            return False
        return True

    def _check(self, leaf: Leaf) -> Expression:
        self._of_sums(leaf.condition)
        if leaf.partial is not None and leaf.partial.name not in self._partials:
            raise Undecomposable
        return sa.null()

    def statement(self) -> sa.Select[Any]:
        """The whole of it."""
        tables: sa.FromClause = self._groups().cte("groups")
        keys: dict[str, Expression] = {}
        for place, name in enumerate(self._asked.keys):
            keys[name], function = sa.literal_column(f"groups.k{place}"), self._keys[place][1]
            if function is not None:
                named = self._decode(*function, f"d{place}")
                tables = tables.outerjoin(named, named.c.code == keys[name])
                keys[name] = named.c.value
        for name, function in self._decoded.items():
            named = self._decode(*function, f"d{name}")
            code: Expression = sa.literal_column(f"groups.{name}")
            tables = tables.outerjoin(named, named.c.code == code)
        shown = dict(self._values)
        if others := {n: v for n, v in self._asked.values.items() if n not in shown}:
            rest = self._asked.only(others).statement().subquery("others")
            same = [keys[name].is_not_distinct_from(rest.c[name]) for name in keys]
            tables = tables.join(rest, sa.and_(sa.true(), *same))
            shown |= {name: rest.c[name] for name in others}
        selected = [key.label(name) for name, key in keys.items()]
        selected += [shown[name].label(name) for name in self._asked.values]
        return self._asked.sorted(sa.select(*selected).select_from(tables))

    # --- what is asked for, in columns of parts and groups

    def _key(self, key: Expression) -> tuple[Expression, Function | None]:
        """What to group by, and which function of which key it is a code of."""
        if columns(key) == TIME:
            return self._parts.add(spelled(key), _moved(key, SUMS), key), None
        return self._code(key)

    def _code(self, value: Expression, ordered: bool = False) -> tuple[Expression, Function]:
        """A whole number for a value that is read off a key, equal for equal values, null or 0 for
        null (`ordered`: in their order), and which function that is."""
        number = self._number(key := key_of(value))
        if self._is_number(key, value) and not ordered:
            return number, (key, "")
        functions = self._functions.setdefault(key, {})
        functions.setdefault(name := spelled(value), value)
        return sa.literal_column(f"by_{key}.f{list(functions).index(name)}"), (key, name)

    def _is_number(self, key: str, value: Expression) -> bool:
        """Whether a value and the number of a key go one to one."""
        return value is EVENTS.c[key] and (len(KEYS[key]) == 1 or key in self._summed.unique)

    def _number(self, key: str) -> Expression:
        self._numbered.add(key)
        return self._parts.add(f"number of {key}", SUMS.c[key], sa.literal_column(f"all_{key}.id"))

    def _aggregate(self, leaf: Leaf) -> Expression:
        """An aggregate, as a column of the answer."""
        met = spelled(leaf.condition)
        if leaf.partial is None:
            return self._of_values(leaf, met)
        name, column = leaf.partial.name, self._partials[leaf.partial.name]
        held: Expression = sa.literal_column(f"sums.{column}", sa.BigInteger)
        of_sums = when(self._of_sums(leaf.condition), held)
        part = self._parts.add(f"{name}, {met}", of_sums, when(leaf.condition, leaf.partial.one))
        if leaf.value is not None:
            code, function = self._code(leaf.value)
            return self._add(f"latest {code} at {part}", Latest(code, part), function)
        if leaf.function == "count":
            added = sa.func.coalesce(sa.func.sum(part), sa.literal_column("0"))
            return self._add(f"count {part}", sa.cast(added, sa.BigInteger))
        return self._add(f"{leaf.function} {part}", getattr(sa.func, leaf.function)(part))

    def _of_values(self, leaf: Leaf, met: str) -> Expression:
        """How many different values, or the largest."""
        value, condition, of_sums = leaf.value, leaf.condition, self._of_sums(leaf.condition)
        if value is None:
            raise Undecomposable
        if columns(value) == TIME:
            moved = when(of_sums, _moved(value, SUMS))
            moment = self._parts.add(f"{spelled(value)}, {met}", moved, when(condition, value))
            return self._add(f"distinct {moment}", sa.func.count(sa.distinct(moment)))
        counts = self._parts.add(met, of_sums, condition)
        code, function = self._code(value, ordered=leaf.function == "max")
        if leaf.function == "max":
            return self._add(f"max {code}, {met}", sa.func.max(code).filter(counts), function)
        known = sa.and_(counts, code != sa.literal_column("0"))
        return self._add(f"distinct {code}, {met}", sa.func.count(sa.distinct(code)).filter(known))

    def _add(
        self, what: str, aggregate: Expression, function: Function | None = None
    ) -> Expression:
        """The column of an aggregate in `groups`, added once, or the value that it is a code of."""
        name, _ = self._aggregates.setdefault(what, (f"a{len(self._aggregates)}", aggregate))
        if function is None:
            return sa.literal_column(f"groups.{name}", aggregate.type)
        self._decoded[name] = function
        return sa.literal_column(f"d{name}.value")

    # --- the condition, on rows of sums

    def _of_sums(self, condition: Any) -> Expression:
        read = columns(condition)
        if read <= TIME:
            return _moved(condition, SUMS)
        if isinstance(condition, Parentheses):
            return self._of_sums(condition.element)
        if isinstance(condition, BooleanClauseList) and not _one_key(read):
            combined = sa.and_ if condition.operator is operators.and_ else sa.or_
            return combined(*(self._of_sums(one) for one in condition.clauses))
        return self._among(key_of(condition), condition)

    def _among(self, key: str, condition: Expression) -> Expression:
        """A condition of one key, by number."""
        people, names = self._asked.people, NAMES[key]
        table = people.joined(names) if key == "user" else names
        meant = sa.select(names.c.id).select_from(table).where(_moved(condition, names))
        numbers = self._numbers(f"{key}: {spelled(condition)}", people, meant)
        column: Expression = SUMS.c[key]
        if numbers is None:
            return column.in_(meant)
        return column == numbers[0] if len(numbers) == 1 else column.in_(numbers)

    # --- the statement, from the inside out

    def _groups(self) -> sa.Select[Any]:
        tables: sa.FromClause = self._union().cte("parts")
        for key in self._functions:
            coded = self._coded(key)
            tables = tables.outerjoin(coded, coded.c.id == self._number(key))
        keys = [code.label(f"k{place}") for place, (code, _) in enumerate(self._keys)]
        aggregates = [one.label(name) for name, one in self._aggregates.values()]
        grouped = sa.select(*keys, *aggregates).select_from(tables)
        return grouped.group_by(*(code for code, _ in self._keys))

    def _union(self) -> sa.SelectBase:
        """Rows of sums, and events as rows of one."""
        sums = sa.select(*self._parts.of_sums).select_from(SUMS)
        sums = sums.where(self._where, _within(SUMS.c.ts, self._summed.whole))
        if not self._summed.rest:
            return sums
        merged = any(map(_reads_more, self._parts.of_events))
        tables: sa.FromClause = self._asked.people.joined(self._events) if merged else self._events
        for key in sorted(self._numbered):
            events, named = self._events.c, self._named(key)
            same = (events[name].is_not_distinct_from(named.c[name]) for name in KEYS[key])
            tables = tables.join(named, sa.and_(*same))
        moved = (_moved(one, self._events) for one in self._parts.of_events)
        return sa.union_all(sums, sa.select(*moved).select_from(tables))

    @cached_property
    def _events(self) -> sa.CTE:
        """The events that no sums hold for: stored later, or in no whole stretch."""
        read = frozenset().union(*map(columns, self._parts.of_events))
        read |= {name for key in self._numbered for name in KEYS[key]}
        chosen = sa.select(*(EVENTS.c[name] for name in sorted(read or TIME)))
        table = self._asked.people.joined(EVENTS) if _reads_more(self._asked.where) else EVENTS
        chosen = chosen.select_from(table).where(self._asked.where)
        later = chosen.where(self._summed.upto < SEQUENCE)
        ragged = rest_of(self._asked.window, self._summed.whole)
        if not ragged:
            return later.cte("rest")
        earlier = chosen.where(self._summed.upto >= SEQUENCE, _within(EVENTS.c.ts, ragged))
        return sa.union_all(later, earlier).cte("rest")

    def _named(self, key: str) -> sa.FromClause:
        """The values of a key and their numbers; new ones of the events have some below zero."""
        if not self._summed.rest:
            return NAMES[key]
        if key not in self._all:
            names = KEYS[key]
            held = sa.select(*(NAMES[key].c[name] for name in names))
            new = sa.select(*(self._events.c[name] for name in names)).except_(held).subquery()
            number: Expression = sa.literal_column("-row_number() OVER ()")
            numbered = sa.select(number, *(new.c[name] for name in names))
            every = sa.union_all(sa.select(*NAMES[key].c), numbered)
            self._all[key] = every.cte(f"all_{key}")
        return self._all[key]

    def _coded(self, key: str) -> sa.CTE:
        """Of each number of a key the values of its functions, and the codes of those."""
        if key not in self._codes:
            named = self._named(key)
            table = self._asked.people.joined(named) if key == "user" else named
            chosen: list[Expression] = [named.c.id]
            for place, function in enumerate(self._functions[key].values()):
                value = _moved(function, named)
                rank = sa.func.dense_rank().over(order_by=value)
                chosen.append(sa.case((value.is_not(None), rank)).label(f"f{place}"))
                chosen.append(value.label(f"v{place}"))
            self._codes[key] = sa.select(*chosen).select_from(table).cte(f"by_{key}")
        return self._codes[key]

    def _decode(self, key: str, function: str, name: str) -> sa.Subquery:
        """The values of the codes of a function."""
        if not function:
            named = self._named(key)
            return sa.select(named.c.id.label("code"), named.c[key].label("value")).subquery(name)
        coded, place = self._coded(key), list(self._functions[key]).index(function)
        code, value = coded.c[f"f{place}"], coded.c[f"v{place}"]
        return sa.select(code.label("code"), value.label("value")).distinct().subquery(name)


def _moved(expression: Expression, table: sa.FromClause) -> Expression:
    """An expression over events with the columns of a table that has the same."""

    def moved(element: Any, **_: Any) -> Any:
        ours = isinstance(element, sa.ColumnClause) and element.table is EVENTS
        return table.c[element.name] if ours else None

    made: Expression = visitors.replacement_traverse(expression, {}, moved)
    return made


def _within(moment: Expression, stretches: Sequence[Stretch]) -> Expression:
    return sa.or_(*(sa.and_(moment >= first, moment < last) for first, last in stretches))


def _one_key(read: Collection[str]) -> bool:
    return len({KEY_OF.get(name, name) for name in read}) == 1


def _reads_more(condition: Expression) -> bool:
    """Whether it reads other tables than events."""
    return any(
        isinstance(element, sa.ColumnClause) and element.table not in (None, EVENTS)
        for element in visitors.iterate(condition)
    )
