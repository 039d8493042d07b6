"""The totals of one file of an import reconciled with the rows of another.

A format yields a `TotalsNote` for a file that can be judged only beside others. Once all is read,
`notes` gives what the report says of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from data.events.table import Event, id_hash
from data.sources import billed_sources
from data.sources.aggregates import DAY
from data.sources.format import FileTotals


class Reconciliation:
    """The totals of an import's files, and what its usage rows cost by source and day."""

    def __init__(self) -> None:
        self._totals: dict[type[FileTotals], list[FileTotals]] = {}
        self._costs: dict[tuple[str, int], tuple[int, int]] = {}
        self._counted: set[int] = set()
        self._billed = billed_sources()

    def add_totals(self, totals: FileTotals) -> None:
        """One file's."""
        self._totals.setdefault(type(totals), []).append(totals)

    def add_usage(self, events: Iterable[Event]) -> None:
        """Events as they come, known ones included, each once."""
        for event in events:
            if event["source"] in self._billed and event["cost_origin"] != "reported":
                self._add_cost(event)

    def _add_cost(self, event: Event) -> None:
        if (hashed := id_hash(event["event_id"])) in self._counted:
            return
        self._counted.add(hashed)
        key, cost = (event["source"], event["ts"] // DAY), event["cost_nano"]
        nano, unpriced = self._costs.get(key, (0, 0))
        self._costs[key] = nano + (cost or 0), unpriced + (cost is None)

    def notes(self) -> Iterator[str]:
        """What the report says of all of it."""
        for kind, totals in self._totals.items():
            yield from kind.reconcile(totals, self._costs)
