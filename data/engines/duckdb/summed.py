"""A grouping answered from sums, and from the events that no sums hold for.

```
parts    rows of sums, of whole quarters of an hour that are not outdated
         UNION ALL rows that tell runs and conversations apart, where these are asked for
         UNION ALL the other events of the window, each as a row of one
  ↓ of lists, a row for each value
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

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BooleanClauseList
from sqlalchemy.sql.elements import Grouping as Parentheses

from data.access.people import People
from data.dialect import Expression, Latest
from data.engines.duckdb.coverage import SMALL, Summed
from data.engines.duckdb.levels import BY_ID
from data.engines.duckdb.texts import slot
from data.engines.grouping import END, START, Form
from data.engines.levels import Level
from data.engines.partials import (
    KEYS,
    TIME,
    Leaf,
    Partial,
    Undecomposable,
    columns,
    counting,
    decomposed,
    key_of,
    reads_one_key,
    spelled,
    split_where,
    when,
)
from data.engines.rewriting import moved, reads_more
from data.events.table import EVENTS

# More numbers of one condition than this are left to the engine to find.
MOST_NUMBERS: Final = 200
SEQUENCE: Final[Expression] = sa.literal_column("events.sequence", sa.BigInteger)
TS: Final[Mapping[str, Expression]] = {"ts": sa.literal_column("sums.ts", sa.BigInteger)}
NAMES: Final = {
    key: sa.table(f"names_{key}", sa.column("id"), *(sa.column(name) for name in names))
    for key, names in KEYS.items()
}
# The numbers of the values of a key that meet a condition; None: too many to list.
# A condition as text, whose ids it merges, and as a statement.
Numbers = Callable[[str, People, sa.Select[Any]], Sequence[int] | None]
Function = tuple[str, str]  # of the values of a key: the key, and the function as text


def narrows(condition: Expression) -> bool:
    """Whether it may leave few events of a window: it asks for more than kinds of events."""
    return not columns(condition) <= {*TIME, "kind"}


NOTHING: Final[Expression] = sa.literal_column("NULL")
# How many events each id has, in each group.
COUNTED_ID: Final[Expression] = sa.literal_column("counted.id")
COUNTED_N: Final[Expression] = sa.literal_column("counted.n")


class _Parts:
    """The columns of rows of sums, of such with ids, and of single events, side by side."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._names: dict[str, str] = {}
        self.of_sums: list[Expression] = []
        self.of_ids: list[Expression] = []
        self.of_events: list[Expression] = []

    def add(
        self, what: str, of_sums: Expression, of_event: Expression, alone: str = ""
    ) -> Expression:
        """The column for something, added once; `alone`: only rows of `sums` or of `ids` have
        it."""
        if what not in self._names:
            self._names[what] = name = f"c{len(self._names)}"
            self.of_sums.append((NOTHING if alone == "ids" else of_sums).label(name))
            self.of_ids.append((NOTHING if alone == "sums" else of_sums).label(name))
            self.of_events.append(of_event.label(name))
        return sa.literal_column(f"{self._name}.{self._names[what]}")


class SummedQuestion:
    """A question whose values one level can say, being put together."""

    def __init__(
        self, asked: Form, level: Level, summed: Summed, numbers: Numbers, place: int = 0
    ) -> None:
        """`place` tells its parts from those of others in the same statement."""
        self._asked, self._level, self._numbers = asked, level, numbers
        self._summed, self._place = summed, place
        self._parts = _Parts(f"parts{place}")
        self._functions: dict[str, dict[str, Expression]] = {}  # of keys, by key and as text
        self._numbered: set[str] = set()  # keys that are read by number
        self._read: set[str] = set()  # columns of rows of sums, with ids or without
        self._read_of_sums: set[str] = set()  # of those without
        self._read_of_ids: set[str] = set()  # and of those with
        self._percentiles: dict[str, tuple[Expression, list[float]]] = {}
        self._counts: tuple[Expression, Expression] | None = None  # ids, and how many events each
        self._added = False  # whether any partials are
        self._aggregates: dict[str, tuple[str, Expression]] = {}
        self._decoded: dict[str, Function] = {}  # aggregates that are codes
        self._all: dict[str, sa.FromClause] = {}
        self._codes: dict[str, sa.CTE] = {}
        of_keys, self._rest = split_where(asked.where)
        self._where = self._of_sums(of_keys)
        if not isinstance(self._rest, sa.True_):
            counted = self._column(summed.columns[counting(self._rest)])
            self._where = sa.and_(self._where, counted > 0)
        self._keys = [self._key(asked.people.read(key)) for key in asked.keys.values()]
        self._values = {
            name: decomposed(asked.people.read(value), self._aggregate)
            for name, value in asked.values.items()
        }

    def statement(self) -> sa.Select[Any]:
        """The whole of it, in no order."""
        tables: sa.FromClause = self._groups().cte(f"groups{self._place}")
        selected: list[Expression] = []
        for place, name in enumerate(self._asked.keys):
            key: Expression = self._grouped(f"k{place}")
            function = self._keys[place][1]
            if function is not None:
                named = self._decode(*function, f"d{place}")
                tables = tables.outerjoin(named, named.c.code == key)
                key = named.c.value
            selected.append(key.label(name))
        for name, function in self._decoded.items():
            named = self._decode(*function, f"d{name}")
            tables = tables.outerjoin(named, named.c.code == self._grouped(name))
        selected += [value.label(name) for name, value in self._values.items()]
        return sa.select(*selected).select_from(tables)

    def _grouped(self, name: str, type_: Any = None) -> Expression:
        return sa.literal_column(f"groups{self._place}.{name}", type_)

    # --- what is asked for, in columns of parts and groups

    def _key(self, key: Expression) -> tuple[Expression, Function | None]:
        """What to group by, and which function of which key it is a code of."""
        if columns(key) == TIME:
            return self._parts.add(spelled(key), moved(key, TS), key), None
        return self._code(key)

    def _code(self, value: Expression, ordered: bool = False) -> tuple[Expression, Function]:
        """A whole number for a value that is read off a key, equal for equal values, null or 0 for
        null (`ordered`: in their order), and which function that is."""
        number = self._number(key := key_of(value))
        if KEYS[key] == (getattr(value, "name", ""),) and not ordered:
            return number, (key, "")
        functions = self._functions.setdefault(key, {})
        functions.setdefault(name := spelled(value), value)
        column = f"by{self._place}_{key}.f{list(functions).index(name)}"
        return sa.literal_column(column), (key, name)

    def _number(self, key: str) -> Expression:
        self._numbered.add(key)
        number: Expression = sa.literal_column(f"{self._all_of(key)}.id")
        return self._parts.add(f"number of {key}", self._column(key), number)

    def _column(self, name: str, read: set[str] | None = None) -> Expression:
        """A column of rows of sums."""
        (self._read if read is None else read).add(name)
        return sa.literal_column(f'sums."{name}"', sa.BigInteger)

    def _aggregate(self, leaf: Leaf) -> Expression:
        """An aggregate, as a column of the answer."""
        leaf, met = leaf.within(self._rest), spelled(leaf.condition)
        if leaf.id:
            return self._of_ids(leaf, met)
        if leaf.partial is None:
            return self._of_values(leaf, met)
        self._added = True
        part = self._partial(leaf.partial, leaf.condition, met)
        if leaf.share is not None:
            return self._percentile(part, leaf.share)
        if leaf.value is not None:
            code, function = self._code(leaf.value)
            return self._add(f"latest {code} at {part}", Latest(code, part), function)
        if leaf.function == "count":
            added = sa.func.coalesce(sa.func.sum(part), sa.literal_column("0"))
            return self._add(f"count {part}", sa.cast(added, sa.BigInteger))
        return self._add(f"{leaf.function} {part}", getattr(sa.func, leaf.function)(part))

    def _partial(
        self, partial: Partial, condition: Expression, met: str, of_ids: bool = False
    ) -> Expression:
        """The column of parts for a partial where a condition holds."""
        read, alone = (self._read_of_ids, "ids") if of_ids else (self._read_of_sums, "sums")
        column = self._column(self._summed.columns[partial.name], read)
        of_sums, of_event = when(self._of_sums(condition), column), when(condition, partial.one)
        if partial.is_list:
            of_event = sa.func.list_value(of_event)
        return self._parts.add(f"{partial.name} of {alone}, {met}", of_sums, of_event, alone)

    def _percentile(self, part: Expression, share: float) -> Expression:
        """One of several percentiles of the same values, which are put in order once."""
        _, shares = self._percentiles.setdefault(str(part), (part, []))
        if share not in shares:
            shares.append(share)
        name = f"q{list(self._percentiles).index(str(part))}"
        return self._grouped(f"{name}[{shares.index(share) + 1}]", sa.BigInteger())

    def _of_ids(self, leaf: Leaf, met: str) -> Expression:
        """How many different runs or conversations, or a statistic of how many events each has."""
        value, partial, statistic = EVENTS.c[leaf.id], leaf.partial, leaf.statistic
        of_ids = when(self._of_sums(leaf.condition), self._column(leaf.id, self._read_of_ids))
        part = self._parts.add(f"{leaf.id}, {met}", of_ids, when(leaf.condition, value), "ids")
        if partial is None or statistic is None:
            return self._add(f"distinct {part}", sa.func.count(sa.distinct(part)))
        self._counts = part, self._partial(partial, leaf.condition, met, of_ids=True)
        made = getattr(sa.func, statistic)(COUNTED_N).filter(COUNTED_ID.is_not(None))
        return self._add(f"{statistic} of counts", made)

    def _of_values(self, leaf: Leaf, met: str) -> Expression:
        """How many different values, or the largest."""
        value, condition, of_sums = leaf.value, leaf.condition, self._of_sums(leaf.condition)
        if value is None:
            raise Undecomposable
        if columns(value) == TIME:
            at = when(of_sums, moved(value, TS))
            moment = self._parts.add(f"{spelled(value)}, {met}", at, when(condition, value))
            return self._add(f"distinct {moment}", sa.func.count(sa.distinct(moment)))
        largest = leaf.function == "max"
        code, function = self._code(value, ordered=largest)
        known = sa.func.nullif(code, sa.literal_column("0"))
        made: Any = sa.func.max(code) if largest else sa.func.count(sa.distinct(known))
        if not isinstance(condition, sa.True_):
            made = made.filter(self._parts.add(met, of_sums, condition))
        return self._add(f"{leaf.function} {code}, {met}", made, function if largest else None)

    def _add(
        self, what: str, aggregate: Expression, function: Function | None = None
    ) -> Expression:
        """The column of an aggregate in `groups`, added once, or the value that it is a code of."""
        name, _ = self._aggregates.setdefault(what, (f"a{len(self._aggregates)}", aggregate))
        if function is None:
            return self._grouped(name, aggregate.type)
        self._decoded[name] = function
        return sa.literal_column(f"d{name}.value")

    # --- the condition, on rows of sums

    def _of_sums(self, condition: Any) -> Expression:
        read = columns(condition)
        if read <= TIME:
            return moved(condition, TS)
        if isinstance(condition, Parentheses):
            return self._of_sums(condition.element)
        if isinstance(condition, BooleanClauseList) and not reads_one_key(read):
            combined = sa.and_ if condition.operator is operators.and_ else sa.or_
            return combined(*(self._of_sums(one) for one in condition.clauses))
        return self._among(key_of(condition), condition)

    def _among(self, key: str, condition: Expression) -> Expression:
        """A condition of one key, by number."""
        people, names = self._asked.people, NAMES[key]
        table = people.joined(names) if "user" in KEYS[key] else names
        meant = sa.select(names.c.id).select_from(table).where(moved(condition, names.c))
        numbers = self._numbers(f"{key}: {spelled(condition)}", people, meant)
        column = self._column(key)
        if numbers is None:
            return column.in_(meant)
        listed = ", ".join(map(str, numbers)) or "NULL"
        return sa.literal_column(f"{column} IN ({listed})", sa.Boolean)

    # --- the statement, from the inside out

    def _groups(self) -> sa.Select[Any]:
        tables: sa.FromClause = self._union().cte(f"parts{self._place}")
        for key in self._functions:
            coded = self._coded(key)
            tables = tables.outerjoin(coded, coded.c.id == self._number(key))
        keys = {f"k{place}": code for place, (code, _) in enumerate(self._keys)}
        if self._counts is not None:
            tables = _counted(keys, *self._counts, tables)
            keys = {name: tables.c[name] for name in keys}
        aggregates = [one.label(name) for name, one in self._aggregates.values()]
        if self._percentiles:
            tables = self._values_of(keys, tables)
            keys = {name: tables.c[name] for name in keys}
            aggregates = list(map(self._quantiles, range(len(self._percentiles))))
        named = [key.label(name) for name, key in keys.items()]
        grouped = sa.select(*named, *aggregates).select_from(tables)
        return grouped.group_by(*keys.values())

    def _values_of(self, keys: Mapping[str, Expression], tables: sa.FromClause) -> sa.Subquery:
        """A row for each value of the lists, once all else is known of the row that has them."""
        named = [key.label(name) for name, key in keys.items()]
        # Whoever has no value is in a group all the same.
        values: Iterator[Expression] = (
            sa.literal_column(f"unnest(coalesce({part}, [NULL]))").label(f"v{place}")
            for place, (part, _) in enumerate(self._percentiles.values())
        )
        return sa.select(*named, *values).select_from(tables).subquery("listed")

    def _quantiles(self, place: int) -> sa.Label[Any]:
        """The percentiles of the values of one list."""
        _, shares = list(self._percentiles.values())[place]
        told = ", ".join(f"{share}::DOUBLE" for share in shares)
        narrow: Expression = sa.literal_column(f"CAST(listed.v{place} AS {slot(SMALL)})")
        listed: Expression = sa.literal_column(f"[{told}]")
        return sa.func.quantile_disc(narrow, listed).label(f"q{place}")

    def _union(self) -> sa.SelectBase:
        """Rows of sums, and events as rows of one."""
        branches = []
        # Without groups there is one, whatever it has; else all have to be there.
        if self._asked.keys or self._read_of_sums or not self._read_of_ids:
            read = self._read | self._read_of_sums
            branches.append(self._rows(self._level, read, self._parts.of_sums))
        if self._read_of_ids:
            read = self._read | self._read_of_ids
            branches.append(self._rows(BY_ID, read, self._parts.of_ids))
        # What is only looked up is so once for each row that differs.
        once = bool(self._functions) and not self._added and not self._read_of_ids
        if self._summed.rest:
            branches.append(self._of_events())
        if len(branches) == 1:
            return branches[0].distinct() if once else branches[0]
        return sa.union(*branches) if once else sa.union_all(*branches)

    def _rows(
        self, level: Level, read: Collection[str], parts: Sequence[Expression]
    ) -> sa.Select[Any]:
        """Rows of a level."""
        listed = (f'"{name}"' for name in sorted(read))
        rows = sa.text(f"({slot(level.table, ', '.join(('ts', *listed)))}) AS sums")
        return sa.select(*parts).select_from(rows).where(self._where)

    def _of_events(self) -> sa.Select[Any]:
        merged = any(map(reads_more, self._parts.of_events))
        tables: sa.FromClause = self._asked.people.joined(self._events) if merged else self._events
        for key in sorted(self._numbered):
            fields, named = self._events.c, self._named(key)
            same = (fields[name].is_not_distinct_from(named.c[name]) for name in KEYS[key])
            tables = tables.join(named, sa.and_(*same))
        selected = (moved(one, self._events.c) for one in self._parts.of_events)
        return sa.select(*selected).select_from(tables)

    @cached_property
    def _events(self) -> sa.CTE:
        """The events that no sums hold for: stored later, or in no whole stretch."""
        read = frozenset().union(*map(columns, self._parts.of_events))
        read |= {name for key in self._numbered for name in KEYS[key]}
        chosen = sa.select(*(EVENTS.c[name] for name in sorted(read or TIME)))
        table = self._asked.people.joined(EVENTS) if reads_more(self._asked.where) else EVENTS
        chosen = chosen.select_from(table).where(self._asked.where)
        upto, ts = slot("upto"), EVENTS.c.ts
        later = chosen.where(upto < SEQUENCE, ts >= START, ts < END)
        if not self._summed.ragged:
            return later.cte(f"rest{self._place}")
        earlier = chosen.where(upto >= SEQUENCE, slot("ragged"))
        return sa.union_all(later, earlier).cte(f"rest{self._place}")

    def _all_of(self, key: str) -> str:
        return f"all{self._place}_{key}"

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
            self._all[key] = every.cte(self._all_of(key))
        return self._all[key]

    def _coded(self, key: str) -> sa.CTE:
        """Of each number of a key the values of its functions, and the codes of those."""
        if key not in self._codes:
            named = self._named(key)
            table = self._asked.people.joined(named) if "user" in KEYS[key] else named
            chosen: list[Expression] = [named.c.id]
            for place, function in enumerate(self._functions[key].values()):
                value = moved(function, named.c)
                rank = sa.func.dense_rank().over(order_by=value)
                chosen.append(sa.case((value.is_not(None), rank)).label(f"f{place}"))
                chosen.append(value.label(f"v{place}"))
            self._codes[key] = sa.select(*chosen).select_from(table).cte(f"by{self._place}_{key}")
        return self._codes[key]

    def _decode(self, key: str, function: str, name: str) -> sa.Subquery:
        """The values of the codes of a function."""
        if not function:
            named = self._named(key)
            return sa.select(named.c.id.label("code"), named.c[key].label("value")).subquery(name)
        coded, place = self._coded(key), list(self._functions[key]).index(function)
        code, value = coded.c[f"f{place}"], coded.c[f"v{place}"]
        return sa.select(code.label("code"), value.label("value")).distinct().subquery(name)


def _counted(
    keys: Mapping[str, Expression], ids: Expression, count: Expression, tables: sa.FromClause
) -> sa.Subquery:
    """How many events each id has in each group, and a row without for those that have none."""
    named = [key.label(name) for name, key in keys.items()]
    added = sa.cast(sa.func.sum(count), sa.BigInteger).label("n")
    counted = sa.select(*named, ids.label("id"), added).select_from(tables)
    return counted.group_by(*keys.values(), ids).subquery("counted")
