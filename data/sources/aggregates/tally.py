"""What a report should say of a file of sums, beside counting its records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from data.sources.aggregates.bills import Bill
from data.sources.format import Aside, Note


@dataclass(slots=True)
class Tally:
    """What the report should say of a file's rows beside counting them."""

    silent: int = 0  # rows that do not say how many requests they stand for
    open: int = 0
    special: int = 0
    nameless: int = 0
    bill: Bill = field(default_factory=Bill)
    others: dict[str, int] = field(default_factory=dict)

    def count(self, requests: int | None) -> None:
        self.silent += requests is None

    def other(self, what: str) -> None:
        self.others[what] = self.others.get(what, 0) + 1

    def notes(self, where: str) -> Iterator[tuple[str, Note]]:
        said = {
            f"{self.silent:,} rows are sums over a time and do not say of how many requests:"
            " each counts as one": self.silent,
            f"{self.open:,} rows are of a time that was cut short or not over when the file was"
            " written: not stored, import them again once it is": self.open,
            f"{self.special:,} rows are of batch, flex, priority, fast or regional processing, or"
            " of sound or images, whose price is not the list price: unpriced": self.special,
            f"{self.nameless:,} rows name no model, as the usage was not grouped by it:"
            " unpriced": self.nameless,
            **{f"{n:,} rows are {what}": n for what, n in self.others.items()},
        }
        yield from ((where, Note(sentence)) for sentence, times in said.items() if times)
        if self.bill.count:
            yield where, Aside(self.bill.sentence, self.bill)
