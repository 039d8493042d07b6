"""For what of a window there are sums, and which rows say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from data.engines.duckdb.levels import BY_ID, BY_TABLE, QUARTERS, finer
from data.engines.levels import DAY, Level
from data.engines.stretches import Stretch, in_stretches, whole_units, without

LARGEST_SMALL: Final = 2**31 - 1
SMALL: Final = "small"  # the place of a type: half as wide, numbers are put in order twice as fast


@dataclass(frozen=True)
class Summed:
    """What sums hold for: events stored up to `upto`, in the `whole` quarters of an hour of a
    `window`; levels, for the `sealed` days of these, and the `hours` for those that are as fine.

    `columns` are those of the partials, by name, `identified` of which events ids are told apart.
    `small`: all values of lists are small numbers. `rest`: there are events in that window beside
    those of sums.
    """

    upto: int
    window: Stretch
    whole: Sequence[Stretch]
    sealed: Sequence[Stretch]
    hours: Sequence[Stretch]
    columns: Mapping[str, str]
    identified: frozenset[tuple[str, str]] = frozenset()
    small: bool = False
    rest: bool = True

    def slot(self, name: str, columns: str) -> str:
        """What a text over sums says of this window: in the place of a level, rows of these
        columns."""
        start, end = self.window
        if name in BY_TABLE:
            return self._rows(BY_TABLE[name], columns)
        small = "INTEGER" if self.small else "BIGINT"
        values = {"start": start, "end": end, "upto": self.upto, SMALL: small}
        return str(values[name]) if name in values else in_stretches("events.ts", self.ragged)

    @cached_property
    def ragged(self) -> list[Stretch]:
        """What of the window is no whole quarter of an hour."""
        return without([self.window], self.whole)

    def _rows(self, level: Level, columns: str) -> str:
        """SQL of the rows of a level where it has some, else of one that is finer, else of the
        quarters of an hour."""
        left, tables = self.whole, dict[str, Sequence[Stretch]]()
        of_events = level in (QUARTERS, BY_ID)
        for one in () if of_events else (level, *finer(level)):
            sealed = sorted([*self.sealed, *(self.hours if one.width < DAY else ())])
            tables[one.table] = held = whole_units(left, sealed, one.width)
            left = without(left, held)
        tables[level.table if of_events else QUARTERS.table] = left
        return " UNION ALL ".join(
            f"SELECT {columns} FROM {table} WHERE {in_stretches('ts', stretches)}"
            for table, stretches in tables.items()
            if stretches
        )
