"""What every door works on: the settings, the two stores, and the tally of live imports."""

from __future__ import annotations

from dataclasses import dataclass

from data.engines.protocol import EventStore
from data.ingest.import_log import LiveImports
from data.settings import Settings
from data.state.store import State


@dataclass(frozen=True, slots=True)
class Stores:
    """The open stores of a running program."""

    settings: Settings
    state: State
    store: EventStore
    tally: LiveImports
