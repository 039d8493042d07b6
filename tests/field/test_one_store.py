"""Every case in one store, whatever its engine: each under a source and ids of its own.

They are written in halves, then whole, so that what belongs together meets within a batch and as
stored rows, and then once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import pytest

from callbacks.commands.checks import run_all
from data.events.merging import WriteResult
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.query.catalog import METRICS
from tests.bench.reading import Nowhere
from tests.field.test_field import CASES, COUNTED, OTHERWISE, TOLERANCE
from tests.serving import Served, serving

IDS: Final = ("event_id", "shared_id", "conversation_id", "run_id")
Totals = dict[str, dict[str, float]]


def wanted(folder: Path) -> dict[str, float]:
    """The totals of a case that the API can tell of its source alone."""
    expect = json.loads((folder / "expect.json").read_text())["expect"]
    named = {OTHERWISE.get(name, name): value for name, value in expect.items()}
    return {name: value for name, value in named.items() if name in METRICS.keys() - COUNTED.keys()}


WANTED: Final = {folder.name: wanted(folder) for folder in CASES}
NAMES: Final = sorted({name for totals in WANTED.values() for name in totals})


class Kept(Nowhere):
    """What an import would have written."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, events: Sequence[Event]) -> WriteResult:
        self.events += events
        return super().write(events)


def events_of(folder: Path) -> list[Event]:
    kept = Kept()
    ingest_paths([folder / "input"], kept)
    return [_own(event, folder.name) for event in kept.events]


def _own(event: Event, name: str) -> Event:
    ids = {key: f"{name} {event[key]}" for key in IDS if event[key] is not None}
    return cast("Event", {**event, **ids, "source": name})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cases")) as one:
        yield one


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return [event for folder in CASES for event in events_of(folder)]


@pytest.fixture(scope="module")
def answered(served: Served, events: list[Event]) -> Totals:
    served.store.write(events[::2])
    served.store.write(events)
    return ask(served)


def ask(served: Served) -> Totals:
    """What the API tells of each case."""
    window = {"preset": "custom", "from_": "2000-01-01", "to": "2100-01-01"}
    rows = served.json("query", metrics=",".join(NAMES), by="source", limit=1_000, **window)["rows"]
    return {row.pop("source"): row for row in rows}


@pytest.mark.parametrize("name", WANTED)
def test_its_totals_are_right(name: str, answered: Totals) -> None:
    found: dict[str, Any] = answered.get(name, {})
    assert {key: found.get(key) for key in WANTED[name]} == {
        key: pytest.approx(value, abs=TOLERANCE) for key, value in WANTED[name].items()
    }


def test_a_second_time_adds_nothing_and_the_checks_hold(
    served: Served, events: list[Event], answered: Totals
) -> None:
    assert len(served.store.write(events)) == 0
    assert ask(served) == answered
    assert [problem for _, problem in run_all(served.store) if problem] == []
