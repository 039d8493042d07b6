"""What of a number about events can be put together of sums over a quarter of an hour.

A row of sums stands for the events of one quarter of an hour that agree in all of `KEYS`. Counts,
sums, least and largest values of those events are `Partial`s, columns of it; how many different
keys there are, and which one came last, is read off the rows. For percentiles a row has a list of
the values themselves; what is made of runs and conversations is read off rows of sums that agree
in their ids, too. Everything else is `Undecomposable`: it needs the events.

Nothing is declared here for a metric: its SQL says what it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BooleanClauseList, FunctionFilter
from sqlalchemy.sql.elements import Grouping as Parentheses
from sqlalchemy.sql.functions import FunctionElement

from data.dialect import Expression, Latest, MonthStart, Percentile, PerGroup, Place, Statistic
from data.events.table import EVENTS, TEXTS

QUARTER: Final = 900_000_000  # µs
IDS: Final = ("run_id", "conversation_id")
# Hardly two events have the same: no row of sums could stand for many.
SINGULAR: Final = (*IDS, "shared_id")
_SINGLE: Final = tuple(
    name for name in TEXTS if name not in (*SINGULAR, "user_name", "project_name")
)
# What the events of a row of sums agree in: each by its name the columns that are one key. A name
# is read with whose it is, and an id, of whom there may be several names, without.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    **{name: (name,) for name in ("kind", "channel", "source", "status", *_SINGLE)},
    "user_named": ("user", "user_name"),
    "project_named": ("project", "project_name"),
}
KEY_COLUMNS: Final = frozenset(column for columns in KEYS.values() for column in columns)
TIME: Final = frozenset({"ts"})
COMBINED: Final = ("sum", "count", "min", "max")
LIST: Final = "list"  # the known values of some events
Function = Literal["sum", "count", "min", "max", "list", "distinct", "latest"]


class _Spelling(DefaultDialect):
    """No engine's: only for texts that tell expressions apart."""

    name = "spelling"


_SPELLING: Final = _Spelling()


@compiles(MonthStart, "spelling")
def _month_start(element: MonthStart, compiler: SQLCompiler, **options: Any) -> str:
    return f"month_start({compiler.process(element.clauses, **options)})"


@compiles(Place, "spelling")
def _place(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    return f"place({compiler.process(element.clauses, **options)})"


class Undecomposable(Exception):
    """It cannot be said from sums."""


@dataclass(frozen=True)
class Partial:
    """A column of sums: `function` of `value` (none: of the rows) where `condition` holds."""

    function: Function
    value: Expression | None
    condition: Expression

    @property
    def name(self) -> str:
        """What tells it from others."""
        value = "*" if self.value is None else spelled(self.value)
        return f"{self.function}({value}) FILTER ({spelled(self.condition)})"

    @property
    def sql(self) -> Expression:
        """It over many events."""
        if self.value is None:
            return sa.cast(sa.func.count().filter(self.condition), sa.BigInteger)
        made, condition = getattr(sa.func, self.function)(self.value), self.condition
        if not self.is_list:
            return sa.cast(made.filter(condition), sa.BigInteger)
        known = made.filter(condition, self.value.is_not(None))
        return sa.cast(known, sa.ARRAY(sa.BigInteger))

    @property
    def is_list(self) -> bool:
        return self.function == LIST

    @property
    def one(self) -> Expression:
        """It of a single event: null where that does not count."""
        condition, value = self.condition, self.value
        if value is None or self.function == "count":
            condition = condition if value is None else sa.and_(condition, value.is_not(None))
            value = sa.literal_column("1")
        return when(condition, value)


COUNTED: Final = Partial("count", None, sa.true())


def counting(condition: Expression) -> str:
    """The name of the partial that counts the events of a row that meet a condition."""
    return Partial("count", None, condition).name


@dataclass(frozen=True)
class Leaf:
    """An aggregate that rows of sums can say: of a `partial`, or of a `value` that is the same for
    all events of a row; of the rows that meet `condition`. A percentile has its `share`; of how
    many events each value has, it is a `statistic`."""

    function: Function
    condition: Expression
    partial: Partial | None = None
    value: Expression | None = None
    share: float | None = None
    statistic: Statistic | None = None

    @property
    def adds_up(self) -> bool:
        """Whether sums alone can say it, without lists of values and without ids."""
        return self.share is None and not self.id

    @property
    def id(self) -> str:
        """The field of `IDS` that it is about, if any."""
        value = self.value
        return value.name if isinstance(value, sa.ColumnClause) and _is_id(value) else ""

    @property
    def of_id(self) -> tuple[str, str]:
        """What rows with ids have to be of to say it: the field, and which events."""
        return self.id, spelled(self.condition)

    def within(self, condition: Expression) -> Leaf:
        """It of rows of which some event meets a condition, of those events alone; raises
        `Undecomposable` where sums cannot tell them."""
        if isinstance(condition, sa.True_):
            return self
        if not self.adds_up:
            raise Undecomposable
        if (partial := self.partial) is None:
            return self  # all events of a row have the same value
        narrowed = _all([*conjuncts(condition), *conjuncts(partial.condition)])
        return replace(self, partial=replace(partial, condition=narrowed))

    @property
    def looked_up(self) -> bool:
        """Whether it is of what the values of a key are, not only of which they are."""
        value = self.value
        return value is not None and (
            self.function == "max" or KEYS.get(getattr(value, "name", "")) is None
        )

    @property
    def keys(self) -> frozenset[str]:
        """What it reads of a row; raises `Undecomposable` where sums cannot tell."""
        value = self.value
        if value is None or self.id or columns(value) == TIME:
            return keys_of(self.condition)
        return keys_of(self.condition) | {key_of(value)}


@dataclass(frozen=True)
class Wanted:
    """What sums have to hold for some numbers: columns by their names; those of rows with ids, and
    of which events there are such rows, by the field and these events as text."""

    partials: Mapping[str, Partial]
    of_ids: Mapping[str, Partial]
    identified: Mapping[tuple[str, str], Expression]


def wanted(aggregates: Iterable[Expression]) -> Wanted:
    """Everything that is wanted for these numbers."""
    partials: dict[str, Partial] = {}
    of_ids: dict[str, Partial] = {}
    identified: dict[tuple[str, str], Expression] = {}
    for leaf in (leaf for aggregate in aggregates for leaf in _leaves_if_any(aggregate)):
        if leaf.id:
            identified.setdefault(leaf.of_id, leaf.condition)
        if leaf.partial is not None:
            (of_ids if leaf.id else partials).setdefault(leaf.partial.name, leaf.partial)
    return Wanted(partials | {COUNTED.name: COUNTED}, of_ids, identified)


def under(aggregate: Expression, condition: Expression) -> Expression:
    """A number of those events alone that meet a condition as well."""

    def replaced(element: Any, **_: Any) -> Any:
        if _leaf(element) is None:
            return None
        filtered = isinstance(element, FunctionFilter)
        own: Any = element.criterion if filtered else sa.true()
        function = element.func if filtered else element
        return function.filter(_all([*conjuncts(condition), *conjuncts(own)]))

    made: Expression = visitors.replacement_traverse(aggregate, {}, replaced)
    return made


def decomposes(aggregate: Expression) -> bool:
    """Whether sums alone can say it, without lists of values and without ids."""
    found = _leaves_if_any(aggregate)
    return bool(found) and all(leaf.adds_up for leaf in found)


def _leaves_if_any(aggregate: Expression) -> list[Leaf]:
    try:
        return leaves(aggregate)
    except Undecomposable:
        return []


def leaves(aggregate: Expression) -> list[Leaf]:
    """What sums have to say for a number; raises `Undecomposable`."""
    found: list[Leaf] = []

    def note(leaf: Leaf) -> Expression:
        found.append(leaf)
        return sa.null()

    decomposed(aggregate, note)
    return found


def decomposed(aggregate: Expression, put: Callable[[Leaf], Expression]) -> Expression:
    """The number with what `put` says in the place of each aggregate in it."""

    def replaced(element: Any, **_: Any) -> Any:
        leaf = _leaf(element)
        return None if leaf is None else put(leaf)

    made: Expression = visitors.replacement_traverse(aggregate, {}, replaced)
    return made


def columns(expression: Expression) -> frozenset[str]:
    """The fields of an event that an expression reads; merged ids are read with the user's."""
    found = set()
    for element in visitors.iterate(expression):
        if isinstance(element, sa.ColumnClause) and element.table is not None:
            found.add(element.name if element.table is EVENTS else "user")
    return frozenset(found)


def key_of(expression: Expression) -> str:
    """The one key that an expression reads; raises `Undecomposable` if it is not just one."""
    return _key_of(columns(expression))


@cache
def _key_of(read: frozenset[str]) -> str:
    fitting = (key for key, names in KEYS.items() if read and read.issubset(names))
    if (found := next(fitting, None)) is None:
        raise Undecomposable
    return found


def keys_of(condition: Any) -> frozenset[str]:
    """The keys that a condition reads, each in a part of its own; raises `Undecomposable` where one
    part reads several, or what is no key."""
    read = columns(condition)
    if read <= TIME:
        return frozenset()
    if isinstance(condition, Parentheses):
        return keys_of(condition.element)
    if isinstance(condition, BooleanClauseList) and not reads_one_key(read):
        return frozenset().union(*map(keys_of, condition.clauses))
    return frozenset({key_of(condition)})


def reads_one_key(read: frozenset[str]) -> bool:
    """Whether these columns are of one key."""
    return any(read.issubset(names) for names in KEYS.values())


def spelled(expression: Expression) -> str:
    """An expression as text, values and all."""
    return str(expression.compile(dialect=_SPELLING, compile_kwargs={"literal_binds": True}))


def when(condition: Expression, value: Expression) -> Expression:
    """The value where the condition holds, else null."""
    return value if isinstance(condition, sa.True_) else sa.case((condition, value))


def conjuncts(condition: Expression) -> Iterator[Expression]:
    """What has to hold together."""
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for one in condition.clauses:
            yield from conjuncts(one)
    else:
        yield condition


def _leaf(element: Any) -> Leaf | None:
    """The aggregate that an element is, if it is one and not made of others."""
    function = element.func if isinstance(element, FunctionFilter) else element
    if isinstance(function, PerGroup):
        return _per_group(function)
    if not isinstance(function, Latest | Percentile) and not _aggregates(function):
        return None
    arguments = list(function.clauses)
    if any(_aggregates(inner) for one in arguments for inner in visitors.iterate(one)):
        return None
    condition: Any = element.criterion if isinstance(element, FunctionFilter) else sa.true()
    return _made(function, arguments, *_split(condition))


def _per_group(function: PerGroup) -> Leaf:
    group, condition, *weight = function.clauses
    of_keys, rest = _split(condition)
    if not (_is_id(group) and isinstance(rest, sa.True_)):
        raise Undecomposable
    counted: Any = sa.func.coalesce(weight[0], 1) if weight else None
    partial = Partial("sum" if weight else "count", counted, sa.true())
    return Leaf("distinct", of_keys, partial, group, statistic=function.statistic)


def _is_id(value: Expression) -> bool:
    return isinstance(value, sa.ColumnClause) and value.name in IDS


def _aggregates(element: Any) -> bool:
    return isinstance(element, FunctionElement) and getattr(element, "name", "") in (
        *COMBINED,
        "avg",
    )


def _split(condition: Expression) -> tuple[Expression, Expression]:
    """What a condition asks of the keys of a row, and the rest."""
    return _split_by(condition, KEY_COLUMNS)


def split_where(condition: Expression) -> tuple[Expression, Expression]:
    """What a condition asks of the keys and the time of a row of sums, and of the events in it."""
    return _split_by(condition, KEY_COLUMNS | TIME)


def _split_by(condition: Expression, names: frozenset[str]) -> tuple[Expression, Expression]:
    of_keys, rest = list[Expression](), list[Expression]()
    for one in conjuncts(condition):
        (of_keys if columns(one) <= names else rest).append(one)
    return _all(of_keys), _all(rest)


def _all(conditions: list[Expression]) -> Expression:
    asked = {spelled(one): one for one in conditions if not isinstance(one, sa.True_)}
    return sa.and_(*asked.values()) if asked else sa.true()


def _made(
    function: Any, arguments: list[Expression], condition: Expression, rest: Expression
) -> Leaf:
    if isinstance(function, Percentile):
        value, share = arguments
        return Leaf("list", condition, Partial("list", value, rest), share=_number(share))
    if isinstance(function, Latest):
        value, at = arguments
        return Leaf("latest", condition, Partial("max", at, rest), _of_key(value, sa.true()))
    name, (value, *_) = function.name, arguments or [sa.null()]
    if name not in COMBINED:
        raise Undecomposable
    if isinstance(value, sa.UnaryExpression) and value.operator is operators.distinct_op:
        distinct = value.element
        if _is_id(distinct) and isinstance(rest, sa.True_):
            return Leaf("distinct", condition, None, distinct)
        return Leaf("distinct", condition, None, _of_key(distinct, rest))
    if name == "max" and columns(value) <= KEY_COLUMNS and columns(value):
        return Leaf("max", condition, None, _of_key(value, rest))
    counted = None if name == "count" and not columns(value) else value
    return Leaf(name, condition, Partial(name, counted, rest))


def _number(literal: Any) -> float:
    return float(literal.value)


def _of_key(value: Expression, rest: Expression) -> Expression:
    """A value that is the same for all events of a row of sums."""
    if not isinstance(rest, sa.True_):
        raise Undecomposable
    if columns(value) != TIME:
        key_of(value)
    return value
