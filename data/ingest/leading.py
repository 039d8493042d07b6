"""Which server does what is done on a clock with the events: of those that share them, one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from data.engines.protocol import EventStore
from data.state.leadership import Leads, always_leads
from data.state.store import State


def leading(state: State, store: EventStore, work: str) -> AbstractContextManager[Leads]:
    """Whether this server is the one. Where events are its own it is, whoever shares its state."""
    return state.leading(work) if store.shared else nullcontext(always_leads)
