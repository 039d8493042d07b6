"""For what of a window there are sums, and which rows say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from data.engines.duckdb.levels import BY_TABLE, QUARTERS, Level
from data.engines.duckdb.stretches import Stretch, in_stretches, whole_units, without


@dataclass(frozen=True)
class Summed:
    """What sums hold for: events stored up to `upto`, in the `whole` quarters of an hour of a
    `window`; levels, for the `sealed` days of these.

    `columns` are those of the partials, by name. `rest`: there are events in that window beside
    them.
    """

    upto: int
    window: Stretch
    whole: Sequence[Stretch]
    sealed: Sequence[Stretch]
    columns: Mapping[str, str]
    rest: bool = True

    def slot(self, name: str, columns: str) -> str:
        """What a text over sums says of this window: in the place of a level, rows of these
        columns."""
        start, end = self.window
        if name in BY_TABLE:
            return self._rows(BY_TABLE[name], columns)
        values = {"start": start, "end": end, "upto": self.upto}
        return str(values[name]) if name in values else in_stretches("events.ts", self.ragged)

    @cached_property
    def ragged(self) -> list[Stretch]:
        """What of the window is no whole quarter of an hour."""
        return without([self.window], self.whole)

    def _rows(self, level: Level, columns: str) -> str:
        """SQL of the rows of a level where it has some, else of the quarters of an hour."""
        held = [] if level is QUARTERS else whole_units(self.whole, self.sealed, level.width)
        tables = {level.table: held, QUARTERS.table: without(self.whole, held)}
        return " UNION ALL ".join(
            f"SELECT {columns} FROM {table} WHERE {in_stretches('ts', stretches)}"
            for table, stretches in tables.items()
            if stretches
        )
