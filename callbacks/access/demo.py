"""The demo personas: there to look around with, and only while there is nothing real to see."""

from __future__ import annotations

from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.errors import Stranger
from data.query.filters import Filters
from data.query.options import active_values
from data.query.windows import ALL_TIME
from data.sample.organisation import PERSONAS, SOURCE, Persona
from data.settings import Settings


def why_closed(settings: Settings, store: EventStore) -> str | None:
    """None while the personas may come in: allowed, and every stored event is a sample."""
    if "demo" not in settings.sign_in:
        return "the demo is switched off"
    stored = sources(store)
    if stored == {SOURCE}:
        return None
    if not stored:
        return "the demo has no sample data to show: load it with spendscope sample"
    return "the demo has ended: this server holds real data now"


def sources(store: EventStore) -> set[str]:
    """Where the stored events come from; asked at every request, kept until the data changes."""
    return active_values("source", Filters(ALL_TIME), SYSTEM, store)


def persona(key: str) -> Persona:
    """The persona of a key; raises `Stranger` for any other."""
    for known in PERSONAS:
        if known.key == key:
            return known
    raise Stranger("there is no such persona")
