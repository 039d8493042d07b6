"""An entry of the organisation's own prices: for which models, from which day, at what price.

The price is one of three: rates of its own, in US dollars per million tokens; the public price of
another model (`alias`); or the model's public price. The latter two may carry a contract's
`discount` in percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Self

from data.events.money import NANO
from data.events.table import micros
from data.prices.patterns import matches
from data.prices.rates import NANO_PER_MTOK, Rates
from data.state.tables import PRICES

RATES: Final = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "output": "Output",
    "request": "Per request",
}
FIELDS: Final = ("provider", "model", "from", *RATES, "alias", "discount", "note")


@dataclass(frozen=True, slots=True)
class Entry:
    """Rates are US dollars per million tokens, `request` US dollars per call, all exact;
    an empty provider is any; `at` (µs UTC), `who` and `name` tell who said it last."""

    id: int
    provider: str
    model: str
    start: str
    input: Decimal | None = None
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    output: Decimal | None = None
    request: Decimal | None = None
    alias: str | None = None
    discount: Decimal | None = None
    note: str = ""
    at: int = 0
    who: str = ""
    name: str = ""

    @classmethod
    def of(cls, row: Any) -> Self:
        """The entry of a stored row."""
        told = row._asdict()
        exact = {n: Decimal(told[n]) for n in (*RATES, "discount") if told[n] is not None}
        return cls(**told | exact)

    @property
    def since(self) -> int:
        """Its first instant, µs UTC."""
        return since(self.start)

    @property
    def weight(self) -> tuple[bool, bool, int]:
        """How closely it names a model: the closest entry wins, of equals the latest begun."""
        exact = "*" not in self.model
        return exact, bool(self.provider), len(self.model.replace("*", ""))

    @property
    def rates(self) -> Rates | None:
        """Its own rates, nano-dollars; None where it refers to public ones."""
        if all(getattr(self, name) is None for name in RATES):
            return None
        fresh = (self.input or Decimal(0)) * NANO_PER_MTOK
        read, written = (
            fresh if rate is None else rate * NANO_PER_MTOK
            for rate in (self.cached_input, self.cache_write)
        )
        output = (self.output or Decimal(0)) * NANO_PER_MTOK
        return Rates(fresh, read, written, output, (self.request or Decimal(0)) * NANO)

    def covers(self, provider: str | None, model: str) -> bool:
        """Whether it speaks of a model; a `provider/model` name is also read as its two parts."""
        prefix, slash, bare = model.partition("/")
        names = [(provider or "", model)]
        if slash:
            names.append((provider or prefix, bare))
        return any(
            self.provider.lower() in ("", at.lower()) and matches(name, self.model)
            for at, name in names
        )

    def row(self) -> dict[str, Any]:
        """What the table keeps, without the id."""
        exact = {name: _plain(getattr(self, name)) for name in (*RATES, "discount")}
        told = {column.name: getattr(self, column.name) for column in PRICES.columns}
        return {name: value for name, value in (told | exact).items() if name != "id"}

    def as_dict(self) -> dict[str, Any]:
        """The same as people and JSON say it; amounts are exact decimals, as text."""
        row = self.row() | {"from": self.start}
        return {name: row[name] for name in FIELDS}


def since(day: str) -> int:
    """The first instant of a day like 2026-11-01, µs UTC."""
    return micros(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC))


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
