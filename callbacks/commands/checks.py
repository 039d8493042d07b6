"""Self-checks over what is stored: the promises of the numbers, asked of the real data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

from components import records
from components.page import tables
from components.sections.declared import SECTIONS
from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.query.answers import answer
from data.query.checks import (
    breakdowns_add_up,
    buckets_add_up,
    channels_are_the_whole,
    everything,
    nothing_twice,
)

Result = tuple[str, str]


def run_all(store: EventStore) -> Iterator[Result]:
    """`(what is checked, what is wrong)`; the second is empty where all is well."""
    for name, check in CHECKS.items():
        yield name, "; ".join(check(store))


def doors_agree(store: EventStore) -> Iterator[str]:
    filters = everything(store, "Europe/Berlin")
    for one in SECTIONS.values():
        answered = answer(one, filters, SYSTEM, store)
        api = records.section(answered)["rows"]
        export = list(csv.DictReader(io.StringIO(records.csv_text(answered))))
        table = tables.rows(answered, len(api))
        for name in one.metrics:
            values = [row[name] for row in api]
            read = records.cells([row[name] for row in table], name, answered.window.zone)
            if values != read or not _same(values, export, name):
                yield f"{one.key}: {name} differs between its doors"


def _same(values: list[Any], export: list[dict[str, str]], name: str) -> bool:
    return ["" if value is None else str(value) for value in values] == [r[name] for r in export]


CHECKS: Final[dict[str, Callable[[EventStore], Iterator[str]]]] = {
    "the sum over time buckets is the range's total": buckets_add_up,
    "the sum over each breakdown is the total": breakdowns_add_up,
    "table, chart, API and export agree": doors_agree,
    "the cost is platform + cli + api + other": channels_are_the_whole,
    "no event is stored twice": nothing_twice,
}
