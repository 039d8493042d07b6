"""For what of a window there are sums, and which rows say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from data.engines.duckdb.levels import LEVELS, QUARTERS, Level
from data.engines.duckdb.stretches import Stretch, whole_units, within, without


@dataclass(frozen=True)
class Summed:
    """What sums hold for: events stored up to `upto`, in the `whole` quarters of an hour of a
    `window`; levels, for the `sealed` days of these.

    `columns` are those of the partials, by name. `rest`: there are events in that window beside
    them. `unique` are the keys of which no value has two names.
    """

    upto: int
    window: Stretch
    whole: Sequence[Stretch]
    sealed: Sequence[Stretch]
    columns: Mapping[str, str]
    unique: frozenset[str] = frozenset()
    rest: bool = True

    @property
    def slots(self) -> dict[str, object]:
        """What a text over sums says of this window."""
        ragged = within("events.ts", self.ragged)
        rows = {one.table: self.rows(one) for one in (QUARTERS, *LEVELS)}
        start, end = self.window
        return {"start": start, "end": end, "upto": self.upto, "ragged": ragged, **rows}

    @cached_property
    def ragged(self) -> list[Stretch]:
        """What of the window is no whole quarter of an hour."""
        return without([self.window], self.whole)

    def rows(self, level: Level) -> str:
        """SQL of the rows of a level where it has some, else of the quarters of an hour."""
        held = [] if level is QUARTERS else whole_units(self.whole, self.sealed, level.width)
        tables = {level.table: held, QUARTERS.table: without(self.whole, held)}
        columns = ", ".join(["ts", *level.key_columns, *self.columns.values()])
        return " UNION ALL ".join(
            f"SELECT {columns} FROM {table} WHERE {within('ts', stretches)}"
            for table, stretches in tables.items()
            if stretches
        )
