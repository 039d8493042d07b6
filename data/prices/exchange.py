"""What other currencies are worth in US dollars, each rate from a day on. Without a rate an amount
stays what it is. Which rates there are, `stated_rates.py` keeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Self

from data.events.table import micros


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """US dollars for one of a currency, from a day on (UTC)."""

    id: int
    currency: str
    start: str
    dollars: str
    at: int
    who: str

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(*row)

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail and an answer say of it."""
        return {"currency": self.currency, "from": self.start, "dollars": self.dollars}


class Exchange:
    """All rates at one moment; safe to share between threads."""

    def __init__(self, rates: Iterable[ExchangeRate] = ()) -> None:
        self.rates = tuple(sorted(rates, key=lambda one: one.start, reverse=True))

    def dollars(self, currency: str, amount: Decimal, ts: int) -> Decimal | None:
        """What an amount was worth at `ts` (µs UTC); None where no rate had begun."""
        for one in self.rates:
            if one.currency == currency and ts >= _micros(one.start):
                return amount * Decimal(one.dollars)
        return None


NO_RATES: Final = Exchange()


def _micros(day: str) -> int:
    return micros(datetime.fromisoformat(day).replace(tzinfo=UTC))
