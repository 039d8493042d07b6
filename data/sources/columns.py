"""Records column by column, for a store that cleans and prices them in SQL (`EventSink.load`).

A column holds values of one type: whole numbers, or texts; amounts in dollars may be floats. A row
with a value of another type is doubtful, and so is one with a field that events do not have: who
takes the columns reads such rows as `records` gives them, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.events.table import COUNTS, LARGEST_COUNT
from data.sources.format import Options, Record

UNKNOWN: Final = -(2**63)  # where a whole number is null; of texts it is None, of floats NaN
WHOLE: Final = frozenset({"ts", *COUNTS})
NOTHING: Final = type(None)
# Of dollars as JSON floats: a longer number than a float holds could be rounded otherwise.
MOST_DOLLARS: Final = 1_000.0
NEAR_HALF: Final = 1e-3  # of a nano-dollar
Values = Mapping[str, Sequence[Any]]


@dataclass
class Rows:
    """Some records of a file: `values` by field as they were read, `records` of these places again.
    `defaults` stand where nothing does, `options` say whose they are."""

    size: int
    values: Values
    records: Callable[[Sequence[int]], Iterator[Record]]
    doubts: set[int]
    options: Options = field(default_factory=Options)
    defaults: Mapping[str, str] = field(default_factory=dict)

    def users(self) -> Iterator[tuple[Any, Any]]:
        """Whose they are, with what these are called, each pair once."""
        given, unknown = self.options.user, (None,) * self.size
        held = (self.values.get(name, unknown) for name in ("user", "user_name"))
        pairs = zip(*held, strict=True)
        return ((user or given, name or None) for user, name in dict.fromkeys(pairs))

    @cached_property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The fields of which anything is known; `doubts` is complete after this."""
        made = {name: _column(name, column, self.doubts) for name, column in self.values.items()}
        return {name: column for name, column in made.items() if column is not None}


def by_field(
    raws: Sequence[dict[str, Any]], known: frozenset[str]
) -> tuple[dict[str, Sequence[Any]], set[int]]:
    """The values of each field in all records, and the places of records with a field that is not
    known, or without any."""
    shapes = list(map(tuple, raws))
    different = dict.fromkeys(shapes)
    strange = {shape for shape in different if not shape or not known.issuperset(shape)}
    names = tuple(dict.fromkeys(name for shape in different for name in shape if name in known))
    # Record after record: what lies together in memory is read together.
    if len(different) == 1:
        rows: Iterable[Iterable[Any]] = map(dict.values, raws) if not strange else ()
    else:
        rows = (map(raw.get, names) for raw in raws)
    values: dict[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=False))
    doubts = {n for n, shape in enumerate(shapes) if shape in strange} if strange else set()
    return values, doubts


def _column(name: str, values: Sequence[Any], doubts: set[int]) -> NDArray[Any] | None:
    kinds = set(map(type, values)) - {NOTHING}
    if not kinds:
        return None
    if name == "cost" and kinds & {int, float}:
        return _dollars(values, doubts)
    if name in WHOLE and int in kinds:
        return _whole(values, doubts)
    return _texts(values, kinds, doubts)


def _whole(values: Sequence[Any], doubts: set[int]) -> NDArray[Any]:
    if set(map(type, values)) <= {int, NOTHING}:
        try:
            return np.array([UNKNOWN if v is None else v for v in values], np.int64)
        except OverflowError:
            pass
    kept = [value if type(value) is int and -(2**63) < value < 2**63 else None for value in values]
    doubts.update(_changed(values, kept))
    return np.array([UNKNOWN if v is None else v for v in kept], np.int64)


def _texts(values: Sequence[Any], kinds: set[type], doubts: set[int]) -> NDArray[Any]:
    kept = values
    if kinds != {str}:
        kept = [value if type(value) is str else None for value in values]
        doubts.update(_changed(values, kept))
    made = np.empty(len(kept), dtype=object)
    made[:] = kept
    return made


def _dollars(values: Sequence[Any], doubts: set[int]) -> NDArray[Any]:
    kept = [value if type(value) is float or _is_small(value) else None for value in values]
    doubts.update(_changed(values, kept))
    made = np.array([np.nan if value is None else value for value in kept], np.float64)
    with np.errstate(invalid="ignore"):
        rest = np.abs(made * 1e9 % 1 - 0.5)
    doubts.update(np.flatnonzero((made > MOST_DOLLARS) | (rest < NEAR_HALF)).tolist())
    return made


def _is_small(value: Any) -> bool:
    return type(value) is int and abs(value) <= LARGEST_COUNT


def _changed(values: Sequence[Any], kept: Sequence[Any]) -> Iterator[int]:
    return (n for n, (was, now) in enumerate(zip(values, kept, strict=True)) if was is not now)
