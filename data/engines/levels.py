"""Which sums are kept beside events: tables of fewer keys and longer stretches for what needs no
more, so that long windows are read from a fraction of the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data.engines.partials import KEYS, QUARTER
from data.local_time import WIDTHS

DAY: Final = WIDTHS["day"]
HOUR: Final = WIDTHS["hour"]
WITHOUT_USER: Final = tuple(key for key in KEYS if "user" not in KEYS[key])


@dataclass(frozen=True)
class Level:
    """A table of sums: a row for the events of a stretch of `width` that agree in all its keys,
    with sums, with `lists` of values, or both; `ids` are those that it tells apart."""

    table: str
    width: int
    keys: tuple[str, ...]
    lists: bool | None = False
    ids: tuple[str, ...] = ()

    def says(self, keys: Iterable[str], steady_for: int) -> bool:
        """Whether its rows know these keys, and time finely enough for what is the same all through
        each `steady_for` µs."""
        return self.width <= steady_for and frozenset(keys).issubset(self.keys)


# The fewest rows first: a question reads the first that says what it needs. Hardly a user has one
# row a day: so all that is asked of nobody's in particular reads few rows.
LEVELS: Final = (
    Level("sums_by_day", DAY, WITHOUT_USER),
    Level("sums_by_hour", HOUR, WITHOUT_USER),
    Level("sums_by_quarter", QUARTER, WITHOUT_USER),
    Level("sums_of_people_by_day", DAY, ("user", "project")),
    Level("sums_of_users_by_hour", HOUR, ("user", "project")),
    Level(
        "sums_of_users_by_day", DAY,
        ("user", "user_named", "project", "kind", "channel", "status"),
    ),
    Level("values_by_day", DAY, WITHOUT_USER, True),
    Level("values_by_hour", HOUR, WITHOUT_USER, True),
)  # fmt: skip
