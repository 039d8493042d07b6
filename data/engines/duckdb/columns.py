"""Events as the columns of a bulk insert: arrays by name, those without any value left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.events.table import COUNTS, FIELDS, Event
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived

NUMBERS: Final = frozenset({"ts", *COUNTS, *DERIVED})
NULLABLE: Final = NUMBERS - {"ts", "id_hash"}
UNKNOWN: Final = -(2**63)
PICKED: Final = itemgetter(*FIELDS)  # at once: a quarter of the time of one after another
Column = NDArray[Any]


def columns(events: Sequence[Event], book: PriceBook) -> dict[str, Column]:
    """Whole numbers as int64, `UNKNOWN` where null; text as objects. At least one event."""
    worked_out = zip(*(derived(event, book) for event in events), strict=True)
    return event_columns(events) | _without_empty(zip(DERIVED, worked_out, strict=True))


def event_columns(events: Sequence[Event]) -> dict[str, Column]:
    """The columns without what is worked out. At least one event."""
    return _without_empty(zip(FIELDS, zip(*map(PICKED, events), strict=True), strict=True))


def _without_empty(columns: Iterable[tuple[str, Sequence[Any]]]) -> dict[str, Column]:
    return {name: array(name, each) for name, each in columns if each.count(None) < len(each)}


def array(name: str, column: Sequence[Any]) -> Column:
    """One column of values."""
    return _numbers(column) if name in NUMBERS else _texts(column)


def names(batch: Iterable[str]) -> str:
    """The columns as SQL lists them."""
    return ", ".join(f'"{name}"' for name in batch)


def values(batch: Iterable[str]) -> str:
    """The same columns as SQL selects them, null where unknown."""
    return ", ".join(
        f'nullif("{name}", {UNKNOWN}) AS "{name}"' if name in NULLABLE else f'"{name}"'
        for name in batch
    )


def _numbers(values: Sequence[int | None]) -> Column:
    return np.array([UNKNOWN if value is None else value for value in values], np.int64)


def _texts(values: Sequence[str | None]) -> Column:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
