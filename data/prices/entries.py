"""An entry of the organisation's own prices: for which models, from which day, at what price.

The price is one of three: rates of its own, in US dollars per million tokens; the public price of
another model (`alias`); or the model's public price. The latter two may carry a contract's
`discount` in percent. Of one `service_tier` it says nothing of the others; of none, rates are the
standard tier's, and an alias or a discount holds in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Self

from data.events.money import NANO
from data.events.table import micros
from data.prices.patterns import matches
from data.prices.rates import NANO_PER_KCOUNT, NANO_PER_MTOK, Rates
from data.state.tables import PRICES

RATES: Final = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write, one hour",
    "output": "Output",
    "input_audio": "Audio input",
    "output_audio": "Audio output",
    "input_image": "Image input",
    "output_image": "Image output",
    "web_searches": "Web searches",
    "request": "Per request",
}
UNITS: Final = {"web_searches": NANO_PER_KCOUNT, "request": NANO}  # of a dollar; else per million
FIELDS: Final = ("provider", "model", "service_tier", "from", *RATES, "alias", "discount", "note")


@dataclass(frozen=True, slots=True)
class Entry:
    """Rates are US dollars per million tokens, per thousand `web_searches`, per call `request`,
    all exact; an empty provider is any; `at` (µs UTC), `who` and `name` tell who said it last."""

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
    service_tier: str = ""
    cache_write_1h: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_image: Decimal | None = None
    web_searches: Decimal | None = None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The entry of a stored row."""
        fields = row._asdict()
        exact = {n: Decimal(fields[n]) for n in (*RATES, "discount") if fields[n] is not None}
        return cls(**fields | exact)

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
        own = {name: self._nano(name) for name in RATES}
        if all(rate is None for rate in own.values()):
            return None
        fresh, none = own["input"] or Decimal(0), Decimal(0)
        read, written = (
            fresh if own[name] is None else own[name] for name in ("cached_input", "cache_write")
        )
        output = own["output"] or none
        wholes = {"cache_write_1h": written, "input_audio": fresh, "input_image": fresh,
                  "output_audio": output, "output_image": output}  # fmt: skip
        parts = {part: whole if own[part] is None else own[part] for part, whole in
                 wholes.items()}  # fmt: skip
        return Rates(
            fresh, read or none, written or none, output, own["request"] or none,
            web_searches=own["web_searches"], **parts,
        )  # fmt: skip

    def _nano(self, name: str) -> Decimal | None:
        rate: Decimal | None = getattr(self, name)
        return None if rate is None else rate * UNITS.get(name, NANO_PER_MTOK)

    def covers(self, provider: str | None, model: str, tier: str | None = None) -> bool:
        """Whether it speaks of a model, in a service tier (None: in any); a `provider/model` name
        is also read as its two parts."""
        if tier and self.service_tier not in ("", tier):
            return False
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
        fields = {column.name: getattr(self, column.name) for column in PRICES.columns}
        return {name: value for name, value in (fields | exact).items() if name != "id"}

    def as_dict(self) -> dict[str, Any]:
        """The same as people and JSON say it; amounts are exact decimals, as text."""
        row = self.row() | {"from": self.start}
        return {name: row[name] for name in FIELDS}


def since(day: str) -> int:
    """The first instant of a day like 2026-11-01, µs UTC."""
    return micros(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC))


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
