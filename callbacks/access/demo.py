"""The demo personas: there to look around with, and only while there is nothing real to see."""

from __future__ import annotations

from collections.abc import Callable

from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.errors import Stranger
from data.query.filters import Filters
from data.query.options import active_values
from data.query.windows import ALL_TIME
from data.sample.demo_end import end_demo, has_traces
from data.sample.organisation import PERSONAS, SOURCE, Persona
from data.settings import Settings
from data.state.store import State


def why_closed(settings: Settings, state: State, store: EventStore) -> str | None:
    """None while the personas may come in: allowed, every stored event is a sample, and nobody has
    an account."""
    if "demo" not in settings.sign_in:
        return "the demo is switched off"
    stored = sources(store)
    if stored == {SOURCE}:
        return "the demo has ended: there are accounts now" if state.has_accounts() else None
    if not stored:
        return "the demo has no sample data to show: load it with spendscope sample"
    return "the demo has ended: this server holds real data now"


class DemoTraces:
    """What the demo's visitors made, which goes as soon as the demo has ended: before anything
    else is answered then, by whichever request comes first."""

    def __init__(self, settings: Settings, state: State, store: EventStore) -> None:
        self._settings, self._state, self._store = settings, state, store
        self._left = has_traces(state)
        self.ended: list[Callable[[], None]] = []  # what else goes then

    def visited(self) -> None:
        """Somebody is here who may make something."""
        self._left = True

    def sweep(self) -> None:
        """Take it away, if there may be something and the demo is over."""
        if self._left and why_closed(self._settings, self._state, self._store):
            end_demo(self._state, self._settings.now())
            for end in self.ended:
                end()
            self._left = False


def sources(store: EventStore) -> set[str]:
    """Where the stored events come from; asked at every request, kept until the data changes."""
    return active_values("source", Filters(ALL_TIME), SYSTEM, store)


def persona(key: str) -> Persona:
    """The persona of a key; raises `Stranger` for any other."""
    for known in PERSONAS:
        if known.key == key:
            return known
    raise Stranger("there is no such persona")
