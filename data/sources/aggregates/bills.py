"""What a vendor bills for tokens, beside what its usage rows cost: compared, never added.

Usage rows bring the money of tokens, at list price; so a bill of the same tokens is not stored.
Once an import has seen all its files, the report says both sums of the days (UTC) that both tell,
and what was billed on days of which no usage came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from data.events.money import NANO
from data.events.table import micros
from data.sources.format import Raw, Spent

DAY: Final = 86_400_000_000
Line = tuple[int, Decimal]  # day since 1970, dollars


@dataclass(slots=True)
class Bill:
    """The lines for tokens of one file, by the keys of their rows; several may share one."""

    vendor: str = ""
    count: int = 0
    lines: dict[str, Line] = field(default_factory=dict)

    def add(self, owned: Raw, dollars: Decimal) -> None:
        """One more line, of the row that this record would be of."""
        self.vendor, self.count = owned["source"], self.count + 1
        _, before = self.lines.get(owned["event_id"], (0, Decimal(0)))
        self.lines[owned["event_id"]] = (micros(owned["ts"]) // DAY, before + dollars)

    @property
    def sentence(self) -> str:
        """What it comes to, as long as no usage is known."""
        return _alone(self.count, sum((paid for _, paid in self.lines.values()), Decimal(0)))

    @staticmethod
    def compared(bills: Sequence[Bill], spent: Spent, /) -> Iterator[str]:
        """What the bills of an import say beside what its usage costs."""
        for vendor in dict.fromkeys(bill.vendor for bill in bills):
            mine = [bill for bill in bills if bill.vendor == vendor]
            lines = {key: line for bill in mine for key, line in bill.lines.items()}
            used = {day for source, day in spent if source == vendor}
            both = [line for line in lines.values() if line[0] in used]
            alone = [paid for day, paid in lines.values() if day not in used]
            if both:
                yield _beside(vendor, both, spent)
            if alone:
                yield _alone(len(alone) if both else sum(b.count for b in mine), sum(alone))


def _alone(count: int, dollars: Decimal | int) -> str:
    return (
        f"{count:,} rows bill {dollars:,.4f} USD for tokens: not stored, as usage rows bring that"
        " money with their tokens and no money counts twice; import the usage of those days, too"
    )


def _beside(vendor: str, lines: Sequence[Line], spent: Spent) -> str:
    days = {day for day, _ in lines}
    billed = sum((paid for _, paid in lines), Decimal(0))
    nano, unpriced = (sum(spent[vendor, day][n] for day in days) for n in (0, 1))
    cost = Decimal(nano) / NANO
    open_ = f", {unpriced:,} rows of it unpriced" if unpriced else ""
    return (
        f"{vendor} bills {billed:,.4f} USD for tokens on {len(days)} days, whose usage costs"
        f" {cost:,.4f} USD at list price{open_}: {billed - cost:+,.4f} USD apart;"
        " the bill is not stored, so that no money counts twice"
    )
