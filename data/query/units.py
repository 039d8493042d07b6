"""Units: what a metric's values are, and so how they are kept, read, drawn and exported."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from data.events.money import NANO
from data.local_time import instant

DASH: Final = "–"
SUFFIXES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
Dtype = Literal["float64", "Int64", "object"]
Values = pd.Series | ExtensionArray | NDArray[np.float64]
LARGE: Final = 1_000  # an axis shortens numbers from here on


def is_unknown(value: Any) -> bool:
    """Whether a single value is one of pandas' spellings of missing: `pd.isna`, a fifth as long."""
    return value is None or value is pd.NA or value != value  # NaN, NaT


@dataclass(frozen=True, slots=True)
class Axis:
    """How an axis shows a unit: its values divided by `scale`, under a d3 `tickformat` (none:
    digits, or k and M where they are large); `whole` allows no tick between two numbers."""

    prefix: str = ""
    suffix: str = ""
    tickformat: str = ""
    scale: int = 1
    whole: bool = False

    def format(self, largest: float) -> str:
        """The tick format of an axis that reaches up to `largest`."""
        # "~s" would read 800m, milli, for 0.8 dollars.
        return self.tickformat or ("~g" if largest < LARGE else "~s")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a metric counts in.

    A column of it has `dtype`, its stored values divided by `scale`. `format` writes a known
    value in full; a headline shortens what is `compact`. What is `numeric` can be drawn and stands
    to the right in a grid; `wide` needs more room there. A bucket without events is zero of what
    is `zero_when_empty`, even where it does not add up, and unknown of the rest. A change is told
    in percentage points of what is `in_points`; of what is `by_chance`, a number of things that
    happen or not, chance alone changes as much as the root of it. `cell` is the number format of a
    spreadsheet.
    """

    name: str
    format: Callable[[Any], str] = str
    dtype: Dtype = "float64"
    scale: int = 1
    axis: Axis = Axis()
    compact: bool = False
    numeric: bool = True
    wide: bool = False
    zero_when_empty: bool = False
    in_points: bool = False
    by_chance: bool = False
    cell: str = ""

    def column(self, values: Sequence[Any]) -> Values:
        """A column as frames hold it, from what the store answered; None is unknown."""
        if self.dtype == "object":
            return pd.Series(values, dtype=object)
        if self.dtype == "Int64":
            return pd.array(values, dtype="Int64")
        typed = np.array(values, np.float64)
        return typed if self.scale == 1 else typed / self.scale

    def text(self, value: Any, zone: str = "UTC") -> str:
        """The value in full, as in a table; unknown is a dash, never a zero."""
        return DASH if is_unknown(value) else self._format(value, zone)

    def texts(self, values: Iterable[Any], zone: str = "UTC") -> list[str]:
        """The same of many values; None is unknown."""
        return [DASH if value is None else self._format(value, zone) for value in values]

    def brief(self, value: Any, zone: str = "UTC") -> str:
        """The value in at most about six characters, as in a headline."""
        if is_unknown(value) or not self.compact:
            return self.text(value, zone)
        for size, suffix in SUFFIXES:
            # 999,950 reads 1.00M, not 1000k.
            if abs(value) >= size * 0.99995 and abs(value) >= 10_000:
                return f"{self.axis.prefix}{_three_digits(value / size)}{suffix}"
        return self.text(value, zone)

    def record(self, value: Any, zone: str) -> Any:
        """The value as JSON and CSV carry it: raw, null where it is unknown."""
        return None if is_unknown(value) else self._record(value, zone)

    def _format(self, value: Any, _zone: str, /) -> str:
        return self.format(value)

    def _record(self, value: Any, _zone: str, /) -> Any:
        return value


def moment(us: int, zone: str) -> str:
    """`16 Nov 2026 14:05` in a zone."""
    at = instant(us, zone)
    return f"{at.day} {at:%b %Y %H:%M}"


def day(us: int, zone: str) -> str:
    """`16 Nov 2026`: the local day of an instant."""
    at = instant(us, zone)
    return f"{at.day} {at:%b %Y}"


@dataclass(frozen=True, slots=True)
class InstantUnit(Unit):
    """Microseconds since 1970 in UTC, read in a zone."""

    dtype: Dtype = "Int64"
    numeric: bool = False
    wide: bool = True
    reading: Callable[[int, str], str] = moment

    def _format(self, value: Any, zone: str, /) -> str:
        return self.reading(int(value), zone)

    def _record(self, value: Any, zone: str, /) -> str:
        return instant(int(value), zone).isoformat()


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def _money(value: float) -> str:
    if value and abs(value) < 0.01:
        return "<$0.01"
    return f"−${-value:,.2f}" if value < 0 else f"${value:,.2f}"


def _unit_cost(value: float) -> str:
    if not value:
        return "$0.00"
    if value >= 1:
        return _money(value)
    digits = min(9, 2 - math.floor(math.log10(value)))
    return f"${value:.{digits}f}" if value >= 1e-8 else "<$0.00000001"


def _share(value: float) -> str:
    if 0 < value < 0.0005:
        return "<0.1%"
    # 99.97 % is not all of it: round down short of the whole.
    return "99.9%" if 0.9995 <= value < 1 else f"{value:.1%}"


def _duration(value: float) -> str:
    if value < 1_000:
        return f"{value:.0f} ms"
    if value < 59_995:
        return f"{value / 1_000:.2f} s"
    minutes, seconds = divmod(round(value / 1_000), 60)
    if minutes < 60:
        return f"{minutes} m {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} m"


def _whole(value: float) -> str:
    return f"{int(value):,}"


def _decimal(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


# Money is stored in nano-dollars; what it is divided by may make less than a cent of it.
USD: Final = Unit("usd", _money, scale=NANO, axis=Axis("$"), compact=True, cell="$#,##0.00####")
USD_EACH: Final = Unit(
    "usd_each", _unit_cost, scale=NANO, axis=Axis("$", tickformat="~g"), cell="$0.00#######"
)
COUNT: Final = Unit(
    "count", _whole, "Int64", axis=Axis(whole=True), compact=True, zero_when_empty=True,
    by_chance=True, cell="#,##0",
)  # fmt: skip
TOKENS: Final = Unit(
    "tokens", _whole, "Int64", axis=Axis(whole=True), compact=True, wide=True, cell="#,##0"
)
NUMBER: Final = Unit("number", _decimal, cell="#,##0.0#")
SHARE: Final = Unit("share", _share, axis=Axis(tickformat=".1~%"), in_points=True, cell="0.0%")
DURATION: Final = Unit(
    "ms", _duration, axis=Axis(suffix=" s", tickformat="~g", scale=1_000), cell='#,##0 "ms"'
)  # charts count seconds
INSTANT: Final = InstantUnit("instant", cell="yyyy-mm-dd hh:mm")
ZONED_INSTANT: Final = InstantUnit("instant", reading=lambda us, zone: f"{moment(us, zone)} {zone}")
DAY: Final = InstantUnit("instant", reading=day)
TEXT: Final = Unit("text", dtype="object", numeric=False, wide=True)
