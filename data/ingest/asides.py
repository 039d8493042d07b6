"""What the files of one import say together: sums of one beside the rows of another.

A format yields an `Aside` for a file that can be judged only beside others. Once all is read,
`notes` gives what the report says of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from data.events.table import Event, id_hash
from data.sources import billed_sources
from data.sources.aggregates.bills import DAY
from data.sources.format import Aside, Part


class Asides:
    """The parts of an import, and what usage rows cost by source and day."""

    def __init__(self) -> None:
        self._parts: dict[type[Part], list[Part]] = {}
        self._spent: dict[tuple[str, int], tuple[int, int]] = {}
        self._met: set[int] = set()
        self._billed = billed_sources()

    def take(self, aside: Aside) -> None:
        """One file's part."""
        self._parts.setdefault(type(aside.part), []).append(aside.part)

    def meet(self, events: Iterable[Event]) -> None:
        """Events as they come, known ones included, each once."""
        for event in events:
            if event["source"] in self._billed and event["cost_origin"] != "reported":
                self._spend(event)

    def _spend(self, event: Event) -> None:
        if (hashed := id_hash(event["event_id"])) in self._met:
            return
        self._met.add(hashed)
        key, cost = (event["source"], event["ts"] // DAY), event["cost_nano"]
        nano, unpriced = self._spent.get(key, (0, 0))
        self._spent[key] = nano + (cost or 0), unpriced + (cost is None)

    def notes(self) -> Iterator[str]:
        """What the report says of all of it."""
        for kind, parts in self._parts.items():
            yield from kind.compared(parts, self._spent)
